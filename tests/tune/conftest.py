"""The user at a terminal, for `bakeoff tune`."""

from tests.cli.conftest import home, refused, terminal

__all__ = ["home", "refused", "terminal"]
