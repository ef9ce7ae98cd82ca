"""The crash matrix: kills aimed at named points of a saga, judged from the ledger, and timed."""
