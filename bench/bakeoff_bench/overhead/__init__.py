"""The harness's own cost: adapters against hand-written natives, the World's ceiling, the generator."""
