"""An asyncio loop on a native thread beside gevent's hub."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import gevent
import uvloop
from gevent import monkey

Result = TypeVar("Result")

_LOOK_S = 0.02
#: Seconds that a cancelled coroutine gets to let go of its client and its files.
_LET_GO_S = 10.0


class Bridge:
    """Runs coroutines for greenlets.

    Locust's greenlets and an engine's asyncio client cannot share a thread, and a client's own threads must
    be real ones: so Locust runs unpatched (``LOCUST_SKIP_MONKEY_PATCH``), and the client on a loop of its
    own. Make it after the last fork.
    """

    def __init__(self) -> None:
        if monkey.is_module_patched("threading"):
            raise RuntimeError("gevent has patched threading; start Locust with LOCUST_SKIP_MONKEY_PATCH=1")
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bakeoff-client", daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Start a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end, while other greenlets go on; a killed greenlet cancels it.

        It has ended when this returns or raises: what it wrote is complete.
        """
        ended = threading.Event()
        future = self.begin(_marked(work, ended))
        try:
            while not future.done():
                gevent.sleep(_LOOK_S)
        except BaseException:
            future.cancel()
            deadline_s = time.monotonic() + _LET_GO_S
            while self._thread.is_alive() and not ended.is_set() and time.monotonic() < deadline_s:
                with contextlib.suppress(gevent.GreenletExit):  # it is killed once more
                    gevent.sleep(_LOOK_S)
            raise
        return future.result()

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _marked(work: Coroutine[Any, Any, Result], ended: threading.Event) -> Result:
    try:
        return await work
    finally:
        ended.set()
