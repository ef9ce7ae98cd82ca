"""How many lines of an adapter each capability takes, by what its contract tests run."""
