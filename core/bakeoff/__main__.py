"""Where the process starts: ``bakeoff`` is ``python -m bakeoff``."""

from __future__ import annotations

import signal


def main() -> None:
    """Import the command line, which takes half a second, and run it."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:  # nothing is there to be cleaned up yet: Ctrl-C ends the process without a traceback
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bakeoff.cli import main as command

    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


if __name__ == "__main__":
    main()
