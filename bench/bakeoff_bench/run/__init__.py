"""The main job: the same saga on every engine, judged from the ledger."""
