"""A place among the kills that may compute at the same time."""

from __future__ import annotations

import asyncio
from typing import Self


class Lane:
    """Held by a kill until it is over, or until nothing but a lease is left to wait for.

    Attributes:
        places: So many kills compute at once; whoever only waits does not count.
    """

    def __init__(self, places: asyncio.Semaphore) -> None:
        self.places = places
        self._held = False

    async def __aenter__(self) -> Self:
        await self.places.acquire()
        self._held = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Let the next kill begin; the second time nothing happens."""
        if self._held:
            self._held = False
            self.places.release()
