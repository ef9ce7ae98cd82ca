"""The command line: ``bakeoff``."""

from bakeoff.cli.main import main

__all__ = ["main"]
