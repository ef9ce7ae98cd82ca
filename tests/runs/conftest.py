"""What the tests of the command line have: a home, a terminal, a refused command."""

from tests.cli.conftest import home, refused, terminal

__all__ = ["home", "refused", "terminal"]
