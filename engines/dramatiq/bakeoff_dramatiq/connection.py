"""Connections to Valkey or Redis that behave as the settings say."""

from __future__ import annotations

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from bakeoff.settings import SettingsInForce

#: Pauses between two tries of a command on a broken connection grow from here to there (seconds).
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 1.0


def redis_client(url: str, settings: SettingsInForce) -> redis.Redis:
    """Return a client; nothing is connected yet.

    A client made of a URL retries nothing in redis-py, and Dramatiq only logs a publication that fails after
    a step has succeeded: the saga would be lost with the next step. So ``recommended`` retries.
    """
    times = int(settings["connection_retries"])
    if not times:
        return redis.Redis.from_url(url)
    retry = Retry(ExponentialBackoff(cap=LONGEST_PAUSE_S, base=FIRST_PAUSE_S), times)
    return redis.Redis.from_url(url, retry=retry)
