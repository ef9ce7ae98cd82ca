"""Ctrl-C, SIGTERM and a closed terminal end a command in the same orderly way."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from types import FrameType, TracebackType
from typing import Any

from bakeoff.processes.interruption import Interruption, in_force

_NUMBERS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Interrupts:
    """While this context lasts, SIGINT, SIGTERM and SIGHUP end the command: in order, then at once.

    A shell starts background commands with SIGINT ignored; a harness that owns servers must not inherit
    that.

    Args:
        last: The process ends right after this context: a signal from then on only ends it sooner.
    """

    def __init__(self, *, last: bool = False) -> None:
        self._interruption = Interruption()
        self._before: dict[signal.Signals, Any] = {}
        self._last = last
        self._cleanup = ExitStack()

    @property
    def happened(self) -> bool:
        """Whether a signal came."""
        return self._interruption.number is not None

    @property
    def exit_code(self) -> int:
        """128 + the first signal's number."""
        return self._interruption.exit_code

    def __enter__(self) -> Interrupts:
        try:
            for number in _NUMBERS:
                self._before[number] = signal.signal(number, self._interruption.handle)
        except ValueError:
            return self  # not in the main thread: signals are somebody else's business
        self._cleanup.enter_context(in_force(self._interruption))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._interruption.hold()
        for number, handler in self._before.items():
            signal.signal(number, _end if self._last else handler)
        self._cleanup.close()


def _end(number: int, frame: FrameType | None) -> None:
    """Everything is stopped and said; only the interpreter's own end is left."""
    os._exit(128 + number)
