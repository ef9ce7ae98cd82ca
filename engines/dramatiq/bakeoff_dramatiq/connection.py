"""Connections to Valkey or Redis that behave as the settings say."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from bakeoff.deployment import Deployment
from bakeoff.settings import SettingsInForce

#: Pauses between two tries of a command on a broken connection grow from here to there (seconds).
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 1.0


def results_address(deployment: Deployment) -> str:
    """URL of the Valkey that holds outcomes and rows: a server of its own, else the broker."""
    return deployment.addresses.get("results") or deployment.addresses["broker"]


def redis_client(url: str, settings: SettingsInForce) -> redis.Redis:
    """Return a client; nothing is connected yet.

    A client made of a URL retries nothing in redis-py, and Dramatiq only logs a publication that fails after
    a step has succeeded: the saga would be lost with the next step. So ``recommended`` retries.
    """
    times = int(settings["connection_retries"])
    options: dict[str, Any] = {"retry": Retry(_pauses(), times)} if times else {}
    return redis.Redis.from_url(url, **options)


def async_redis_client(url: str, settings: SettingsInForce) -> redis.asyncio.Redis:
    """Return the same for asyncio."""
    times = int(settings["connection_retries"])
    options: dict[str, Any] = {"retry": AsyncRetry(_pauses(), times)} if times else {}
    return redis.asyncio.Redis.from_url(url, **options)


def _pauses() -> ExponentialBackoff:
    return ExponentialBackoff(cap=LONGEST_PAUSE_S, base=FIRST_PAUSE_S)
