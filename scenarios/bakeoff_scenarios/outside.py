"""What the world outside decides about a saga: the signals that come, and the declines of its own domain."""

from __future__ import annotations

import hashlib

import bakeoff.orders
from bakeoff.expectation import Facts
from bakeoff.saga import JSON, Saga, Wait
from bakeoff_scenarios.beside import told_beside

#: Per mille of approvals that say no, and of waits with a timeout to which nobody answers at all.
_REJECTED = 150
_SILENT = 100


def is_order_saga(saga: Saga) -> bool:
    """Whether it is one of bakeoff's own sagas that handle the order whose id they get."""
    return saga is not bakeoff.orders.NOOP and any(saga is one for one in vars(bakeoff.orders).values())


class Outside:
    """Decides by a seeded hash, or asks a function called ``facts`` beside the user's own saga.

    Attributes:
        seed: Of the hash.
    """

    def __init__(self, saga: Saga, seed: int) -> None:
        self.seed = seed
        self._saga = saga
        self._ours = is_order_saga(saga)

    def of(self, workflow_id: str, input: JSON) -> tuple[Facts, dict[str, JSON]]:
        """The facts about one saga, and ``{wait name: payload}`` of the signals that it gets.

        Raises:
            UsageError: If ``facts`` fails, returns something else, or names a step that is none.
        """
        own = told_beside(self._saga, input)
        declines = set(own.get("declines", ()))
        signals: dict[str, JSON] = dict(own.get("signals", {}))
        if "signals" not in own:
            for wait in (element for element in self._saga.elements if isinstance(element, Wait)):
                drawn = self._number(workflow_id, wait.name)
                if wait.timeout is not None and _REJECTED <= drawn < _REJECTED + _SILENT:
                    continue
                approved = drawn >= _REJECTED or not self._ours
                signals[wait.name] = {"approved": approved, "by": "bakeoff"}
                if not approved:
                    declines.add("require_approval")
        facts = Facts(
            signals=frozenset(signals),
            declines=frozenset(declines),
            input=input,
            payloads=dict(signals),
            skips=frozenset(own.get("skips", ())),
            holds=frozenset(own.get("holds", ())),
        )
        return facts, signals

    def _number(self, workflow_id: str, what: str) -> int:
        """0..999, the same for the same seed, saga and question."""
        digest = hashlib.sha256(f"{self.seed}:{workflow_id}:{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % 1000
