"""Ctrl-C, SIGTERM and a closed terminal end a command in the same orderly way."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

_ALSO = (signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While this context lasts, SIGTERM and SIGHUP are treated as Ctrl-C is.

    asyncio turns SIGINT into a cancellation of the running command, whose contexts then stop servers and
    workers. A shell starts background commands with SIGINT ignored; a harness that owns servers
    must not inherit that.
    """

    KEYBOARD = 128 + signal.SIGINT

    def __init__(self) -> None:
        self.exit_code: int = self.KEYBOARD
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        try:
            for number in _ALSO:
                self._before[number] = signal.signal(number, self._pass_on)
            self._before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
        except ValueError:
            pass  # not in the main thread: signals are somebody else's business
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self.exit_code = 128 + number
        signal.raise_signal(signal.SIGINT)
