"""What the world outside decides about a saga: the signals that come, and the declines of its own domain."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from typing import Any

import bakeoff.orders
from bakeoff.errors import UsageError
from bakeoff.expectation import Facts
from bakeoff.saga import JSON, Saga, Wait

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
        self._facts = _facts_beside(saga)

    def of(self, workflow_id: str, input: JSON) -> tuple[Facts, dict[str, JSON]]:
        """The facts about one saga, and ``{wait name: payload}`` of the signals that it gets.

        Raises:
            UsageError: If ``facts`` fails, returns something else, or names a step that is none.
        """
        own = self._own(input)
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
            signals=frozenset(signals), declines=frozenset(declines), input=input, payloads=dict(signals)
        )
        return facts, signals

    def _own(self, input: JSON) -> dict[str, Any]:
        if self._facts is None:
            return {}
        where = f"saga {self._saga.name!r}: facts({input!r})"
        try:
            told = self._facts(input)
        except Exception as error:  # a stranger's function may fail in any way at all
            raise UsageError(f"{where} failed: {type(error).__name__}: {error}") from error
        if not isinstance(told, dict) or not set(told) <= {"declines", "signals"}:
            raise UsageError(f"{where} must return a dict of declines and signals, not {told!r}")
        steps = {step.name for step in self._saga.steps()}
        waits = {element.name for element in self._saga.elements if isinstance(element, Wait)}
        for what, known in (("declines", steps), ("signals", waits)):
            unknown = sorted(set(told.get(what, ())) - known)
            if unknown:
                raise UsageError(f"{where}: {what} of {', '.join(unknown)}, which the saga does not have")
        return told

    def _number(self, workflow_id: str, what: str) -> int:
        """0..999, the same for the same seed, saga and question."""
        digest = hashlib.sha256(f"{self.seed}:{workflow_id}:{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % 1000


def _facts_beside(saga: Saga) -> Callable[[JSON], Any] | None:
    """The function ``facts`` of the module that holds this saga, if there is one."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        if callable(names.get("facts")) and any(value is saga for value in list(names.values())):
            found: Callable[[JSON], Any] = names["facts"]
            return found
    return None
