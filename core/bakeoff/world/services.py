"""What an attempt needs to know of its world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from bakeoff.saga import JSON, Action, Call
from bakeoff.world.fate import Profile


class Remote(Protocol):
    """Has the effect of an attempt made by a service elsewhere (``bakeoff.bridge``)."""

    def __call__(self, function: Action, call: Call, ordinal: int, word: str, timeout_s: float) -> JSON:
        """As ``bakeoff.world.effect.carry_out``; ``timeout_s`` is the start-to-close timeout of the attempt.

        Raises:
            TimeoutError: The service did not answer in time: it may have acted, or may act later.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """The database of the services and the rules of this world.

    Attributes:
        engine: Database.
        profile: Of the fault plan, for sagas without a written fate.
        naive: ``True`` switches the idempotency key off (``--participants naive``).
        faults: Whether points may be armed.
        remote: Who has the effect made, if not this process.
    """

    engine: Engine
    profile: Profile
    naive: bool = False
    faults: bool = False
    remote: Remote | None = None
