"""Group barriers under our own prefix: Dramatiq names them by a bare random id."""

from __future__ import annotations

from typing import Any

from dramatiq.rate_limits.backends.redis import RedisBackend


class PrefixedBarriers(RedisBackend):
    """A rate limiter backend whose keys start with ``prefix``; only what barriers use."""

    def __init__(self, *, client: Any, prefix: str) -> None:
        super().__init__(client=client)  # type: ignore[no-untyped-call]
        self.prefix = prefix

    def add(self, key: str, value: int, ttl: int) -> bool:
        """Create the barrier."""
        return bool(super().add(self.prefix + key, value, ttl))  # type: ignore[no-untyped-call]

    def decr(self, key: str, amount: int, minimum: int, ttl: int) -> bool:
        """Count one party."""
        return bool(super().decr(self.prefix + key, amount, minimum, ttl))  # type: ignore[no-untyped-call]

    def wait_notify(self, key: str, ttl: int) -> None:
        """Wake whoever blocks; nobody does here, so there is no list to leave behind."""
