"""Waiting for many outcomes at once over one connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from redis.exceptions import RedisError

from bakeoff.errors import ResultTimeoutError

#: Seconds between two looks at everything that is awaited: only for what a broken connection lost.
_LOOK_S = 1.0
#: Sagas started here of which it is remembered that their outcome has not been heard yet.
_REMEMBERED = 10_000
#: Seconds between two tries to connect again.
_AGAIN_S = 0.1
_CANCEL_AGAIN_S = 0.1
_MGET_AT_ONCE = 500


class Outcomes:
    """Resolves the outcome of each awaited saga as soon as Celery publishes it.

    Celery's Redis backend publishes every result that it stores on a channel called like its key, and
    outcomes are nearly the only results here. One subscription serves all waiting callers: a thousand of
    them cost a thousand futures, not a thousand threads.
    """

    def __init__(self, redis: Any, key_prefix: str) -> None:
        self._redis = redis
        self._key_prefix = key_prefix
        self._awaited: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._callers: dict[str, int] = {}
        #: Keys whose outcome, once it is there, will be heard: an ordered set.
        self._expected: dict[str, None] = {}
        self._hearing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def key(self, native_id: str) -> str:
        """Key (and channel) of the result of the task ``native_id``."""
        return f"{self._key_prefix}celery-task-meta-{native_id}"

    def expect(self, native_id: str) -> None:
        """Note that this client is about to start a saga: whoever waits for it from now on need not look.

        Only until its outcome is heard, which nobody may be waiting for, or what was heard is doubtful.
        """
        self._begin()
        if self._hearing.is_set():
            self._expected[self.key(native_id)] = None
            if len(self._expected) > _REMEMBERED:
                del self._expected[next(iter(self._expected))]

    def expect_no_more(self, native_id: str) -> None:
        """Take that back: it existed before, or nobody knows."""
        self._expected.pop(self.key(native_id), None)

    def _begin(self) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]

    async def wait(self, native_id: str, timeout_s: float, *, check: str) -> dict[str, Any] | None:
        """Return the outcome; ``None`` if it is not there and there is no key ``check`` either.

        Raises:
            ResultTimeoutError: After ``timeout_s`` seconds.
        """
        key = self.key(native_id)
        self._begin()
        future = self._awaited.setdefault(key, asyncio.get_running_loop().create_future())
        self._callers[key] = self._callers.get(key, 0) + 1
        try:
            async with asyncio.timeout(timeout_s):
                # First the ear, then the eye: what is stored after this look is heard.
                await self._hearing.wait()
                if key not in self._expected:
                    stored, row = await self._redis.mget(key, check)
                    self._read(key, stored)
                    if row is None and not future.done():
                        return None
                return await asyncio.shield(future)
        except TimeoutError:
            raise ResultTimeoutError(f"{native_id} has not settled within {timeout_s:g} s") from None
        finally:
            self._callers[key] -= 1
            if not self._callers[key]:
                del self._callers[key]
                self._awaited.pop(key).cancel()

    async def close(self) -> None:
        """Stop listening."""
        # redis-py swallows a cancellation that arrives while it connects, so one may not be enough.
        while pending := [task for task in self._tasks if not task.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _read(self, key: str, stored: bytes | None) -> None:
        """Resolve whoever awaits ``key`` if this is the outcome; other states are on the way to it."""
        future = self._awaited.get(key)
        if stored is None or future is None or future.done():
            return
        meta = json.loads(stored)
        if meta["status"] == "SUCCESS":
            future.set_result(meta["result"])

    async def _listen(self) -> None:
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.psubscribe(f"{literal(self.key(''))}*")
                while True:
                    message = await pubsub.get_message(timeout=None)
                    if message is None:
                        continue
                    if message["type"] == "pmessage":
                        key = message["channel"].decode()
                        self._expected.pop(key, None)
                        self._read(key, message["data"])
                    else:
                        self._hearing.set()
            except (RedisError, OSError):
                self._hearing.clear()
                self._expected.clear()
                await asyncio.sleep(_AGAIN_S)
            finally:
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            keys = list(self._awaited)
            for start in range(0, len(keys), _MGET_AT_ONCE):
                batch = keys[start : start + _MGET_AT_ONCE]
                with contextlib.suppress(RedisError, OSError):
                    for key, stored in zip(batch, await self._redis.mget(batch), strict=True):
                        self._read(key, stored)


def literal(text: str) -> str:
    """Escape what a pattern of Redis would read as a wildcard."""
    return "".join(f"\\{character}" if character in "*?[]\\^" else character for character in text)
