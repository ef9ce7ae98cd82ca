"""The contract suite: which promises an engine really keeps, test by test.

``pytest --engine=NAME`` runs it; ``docs/contract.md`` tells what each test asks for.
"""
