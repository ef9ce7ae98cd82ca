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
_MGET_AT_ONCE = 500


class Outcomes:
    """Resolves the outcome of each awaited saga as soon as Celery publishes it.

    Celery's Redis backend publishes every result that it stores on a channel called like its key. One
    subscriber serves all waiting callers, so a thousand of them cost a thousand futures and not a thousand
    threads.
    """

    def __init__(self, redis: Any, key_prefix: str) -> None:
        self._redis = redis
        self._key_prefix = key_prefix
        self._pubsub = redis.pubsub()
        self._sending = asyncio.Lock()
        self._awaited: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._callers: dict[str, int] = {}
        self._subscribed: dict[str, asyncio.Future[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def key(self, native_id: str) -> str:
        """Key (and channel) of the result of the task ``native_id``."""
        return f"{self._key_prefix}celery-task-meta-{native_id}"

    async def wait(self, native_id: str, timeout_s: float, *, check: str) -> dict[str, Any] | None:
        """Return the outcome; ``None`` if it is not there and there is no key ``check`` either.

        Raises:
            ResultTimeoutError: After ``timeout_s`` seconds.
        """
        key = self.key(native_id)
        future = self._awaited.get(key)
        if future is None:
            future = self._awaited[key] = asyncio.get_running_loop().create_future()
        self._callers[key] = self._callers.get(key, 0) + 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._subscribe(key)
                stored, row = await self._redis.mget(key, check)
                self._read(key, stored)
                if row is None and not future.done():
                    return None
                return await asyncio.shield(future)
        except TimeoutError:
            raise ResultTimeoutError(f"{native_id} has not settled within {timeout_s} s") from None
        finally:
            self._callers[key] -= 1
            if not self._callers[key]:
                del self._callers[key]
                self._awaited.pop(key).cancel()
                await self._unsubscribe(key)

    async def close(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._pubsub.aclose()

    async def _subscribe(self, key: str) -> None:
        """Subscribe and wait until the server says so: what is published from then on is heard."""
        if key not in self._subscribed:
            self._subscribed[key] = asyncio.get_running_loop().create_future()
            try:
                async with self._sending:
                    await self._pubsub.subscribe(key)
            except BaseException:  # nobody may wait for an answer to what was not sent
                self._subscribed.pop(key).cancel()
                raise
            if not self._tasks:
                self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]
        await asyncio.shield(self._subscribed[key])

    async def _unsubscribe(self, key: str) -> None:
        if (acknowledged := self._subscribed.pop(key, None)) is not None:
            acknowledged.cancel()
            with contextlib.suppress(RedisError):
                async with self._sending:
                    await self._pubsub.unsubscribe(key)

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
            try:
                message = await self._pubsub.get_message(timeout=None)
            except RuntimeError:  # nothing is subscribed at this moment
                await asyncio.sleep(0.01)
                continue
            except (RedisError, OSError):
                await asyncio.sleep(0.2)
                continue
            if message is None:
                continue
            key = message["channel"].decode()
            if message["type"] == "message":
                self._read(key, message["data"])
            elif message["type"] == "subscribe":
                acknowledged = self._subscribed.get(key)
                if acknowledged is not None and not acknowledged.done():
                    acknowledged.set_result(None)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            keys = list(self._awaited)
            for start in range(0, len(keys), _MGET_AT_ONCE):
                batch = keys[start : start + _MGET_AT_ONCE]
                with contextlib.suppress(RedisError, OSError):
                    for key, stored in zip(batch, await self._redis.mget(batch), strict=True):
                        self._read(key, stored)
