"""What the steps of the contract's sagas do: nothing but say so. The ledger keeps what they return."""

from __future__ import annotations

from bakeoff.saga import JSON, Action, Call

#: Characters of the result of ``produce``.
BIG_RESULT = 100_000

_NAMES = (
    "look_around",
    "book_flight",
    "book_hotel",
    "book_car",
    "send_itinerary",
    "pay",
    "issue_ticket",
    "hasty",
    "patient",
    "steady",
    "growing",
    "capped",
    "left",
    "middle",
    "right",
)


def token(call: Call) -> JSON:
    """The result of an ordinary step: unique for workflow id and step."""
    return {"token": f"{call.workflow_id}/{call.step}"}


def _action(name: str) -> Action:
    def act(call: Call) -> JSON:
        return token(call)

    act.__name__ = act.__qualname__ = f"do_{name}"
    return act


def _undo(name: str) -> Action:
    def undo(call: Call) -> JSON:
        return {"own_result": call.own_result, "input": call.input}

    undo.__name__ = undo.__qualname__ = f"undo_{name}"
    return undo


#: ``{step: action}`` and ``{step: compensation}``; every compensation has a name of its own.
ACTIONS = {name: _action(name) for name in _NAMES}
UNDOS = {name: _undo(name) for name in _NAMES}


def witness(call: Call) -> JSON:
    """Return everything that this step was given."""
    return {"input": call.input, "results": dict(call.results)}


def witness_undo(call: Call) -> JSON:
    """Return everything that this compensation was given."""
    return {"input": call.input, "own_result": call.own_result}


def produce(call: Call) -> JSON:
    """Return as many characters as ``BIG_RESULT``."""
    return "r" * BIG_RESULT


def weigh(call: Call) -> JSON:
    """Return how many characters the input and the result of ``produce`` have on arrival."""
    return {"input": len(call.input), "produced": len(call.results["produce"])}


def count(call: Call) -> JSON:
    """Return the number of steps before this one."""
    return len(call.results)


def uncount(call: Call) -> JSON:
    """Return what ``count`` returned."""
    return call.own_result
