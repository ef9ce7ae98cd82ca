"""What becomes of Ctrl-C while a command runs: the first one ends it in order, a later one ends it at once.

An exception that a signal handler raises can land between any two instructions. Once is survivable: contexts
clean up on the way out. A second one lands in the middle of that, so no later signal ever raises. It kills
the processes that we started instead, after which the way out is short.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, TypeVar

from bakeoff.processes.watchdog import kill_everything

T = TypeVar("T")

#: ``timeout`` and some supervisors signal a process and then its group: that is one request, not two.
_ECHO_S = 0.3

#: Seconds that the way out may take after the second signal; then the process ends where it stands.
_WAY_OUT_S = 5.0

_KILL_EVERY_S = 0.1

_SHOW_CURSOR = "\x1b[?25h"


class Interruption:
    """The state between the first signal and the end of the command; its handler runs in the main thread.

    Attributes:
        number: Of the first signal; ``None`` as long as there was none.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._at_s = 0.0
        self._owed = False  # the first signal came, and nothing has been raised or cancelled for it yet
        self._held = 0
        self._cancel: Callable[[], None] | None = None
        self._quieten: Callable[[], None] | None = None
        self._hurried_at_s: float | None = None
        self._last: list[Callable[[], None]] = []

    @property
    def exit_code(self) -> int:
        """As a shell tells it."""
        return 128 + (self.number or signal.SIGINT)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The handler of SIGINT, SIGTERM and SIGHUP.

        Raises:
            KeyboardInterrupt: At the first signal, unless it is held back or a task can be cancelled.
        """
        now = time.monotonic()
        if self.number is None:
            self.number, self._at_s, self._owed = number, now, True
            self._deliver()
        elif now - self._at_s > _ECHO_S:
            self._at_s = now
            self._hurry(now)

    def _deliver(self) -> None:
        if not self._owed:
            return
        if self._cancel is not None:
            self._owed = False
            self._cancel()
        elif not self._held:
            self._owed = False
            raise KeyboardInterrupt

    def _hurry(self, now: float) -> None:
        if self._hurried_at_s is None:
            self._hurried_at_s = now
            if self._quieten is not None:
                self._quieten()
            # Not threading.Thread: a handler may have interrupted the very code that holds its lock.
            _thread.start_new_thread(self._finish, ())
        else:
            self._hurried_at_s = now - _WAY_OUT_S

    def _finish(self) -> None:
        """Kill what we started, and what the way out may still start, until the process ends."""
        while time.monotonic() - (self._hurried_at_s or 0.0) < _WAY_OUT_S:
            kill_everything()
            time.sleep(_KILL_EVERY_S)
        kill_everything()
        for remove in reversed(list(self._last)):
            with contextlib.suppress(Exception):
                remove()
        if sys.stderr.isatty():
            sys.stderr.write(_SHOW_CURSOR)
            sys.stderr.flush()
        os._exit(self.exit_code)

    def hold(self) -> None:
        """Nothing is raised any more: the command is over."""
        self._held += 1

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is raised while this lasts; a signal that came is raised at its end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._deliver()

    @contextmanager
    def at_last(self, remove: Callable[[], None]) -> Iterator[None]:
        """Call ``remove`` if the process has to end in the middle of this context."""
        self._last.append(remove)
        try:
            yield
        finally:
            self._last.remove(remove)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """``asyncio.run`` whose task the first signal cancels, once.

        Raises:
            KeyboardInterrupt: If a signal came, whatever ``main`` made of its cancellation.
        """
        try:
            with self.held():
                value = asyncio.run(self._cancellable(main))
        except (Exception, asyncio.CancelledError) as error:
            if self.number is None:
                raise
            raise KeyboardInterrupt from error
        finally:
            main.close()  # a signal may have come before its first line
        if self.number is not None:
            raise KeyboardInterrupt
        return value

    async def _cancellable(self, main: Coroutine[Any, Any, T]) -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        # What tasks and connections say whose servers were killed under them is no news.
        self._quieten = lambda: loop.set_exception_handler(lambda _loop, _context: None)
        self._cancel = partial(_cancel, loop, task)
        try:
            self._deliver()
            return await main
        finally:
            self._cancel = None


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    loop.call_soon_threadsafe(task.cancel)


_in_force: Interruption | None = None


@contextmanager
def in_force(interruption: Interruption) -> Iterator[None]:
    """Make ``interruption`` the one that the functions below obey."""
    global _in_force
    before, _in_force = _in_force, interruption
    try:
        yield
    finally:
        _in_force = before


def run_interruptibly(main: Coroutine[Any, Any, T]) -> T:
    """``Interruption.run`` where a command's signals are handled, else ``asyncio.run``."""
    interruption = current()
    return asyncio.run(main) if interruption is None else interruption.run(main)


@contextmanager
def removed_at_last(remove: Callable[[], None]) -> Iterator[None]:
    """``Interruption.at_last`` where a command's signals are handled."""
    with contextlib.nullcontext() if _in_force is None else _in_force.at_last(remove):
        yield


def current() -> Interruption | None:
    """What is in force in this thread: signals are only handled in the main one."""
    return _in_force if threading.current_thread() is threading.main_thread() else None
