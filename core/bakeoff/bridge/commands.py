"""Which command of which service an action or a compensation is, and in which words it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bakeoff.bridge.interface import Address
from bakeoff.bridge.naming import camel_case, served
from bakeoff.errors import UsageError
from bakeoff.registry import load_commands, load_sagas
from bakeoff.saga import JSON, Action, Call, Direction, Saga

#: Of functions that nobody said a service of.
DEFAULT_SERVICE = "SagaService"
_ATTRIBUTE = "__bakeoff_command__"
_Function = TypeVar("_Function", bound=Action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A function as a command.

    Attributes:
        event: What its successful answers are called as events; ``""``: they are none. An answer that is to
            signal a saga names it (``bakeoff.bridge.relay.workflow_id_in``).
        identified_by: Key of the payload that holds the saga's input, where that is an id (``orderId``);
            ``""``: the payload is ``{"input", "results"}`` as the step got them.
        schema: JSON Schema of the payload, where that is the input itself.
    """

    address: Address
    function: Action
    event: str = ""
    identified_by: str = ""
    schema: Mapping[str, Any] | None = None

    @property
    def accepts(self) -> dict[str, Any]:
        """JSON Schema of the payload."""
        if self.schema is not None:
            return dict(self.schema)
        if self.identified_by:
            return {
                "type": "object",
                "properties": {self.identified_by: {"type": "string", "minLength": 1}},
                "required": [self.identified_by],
            }
        return {"type": "object", "required": ["input"]}

    def payload_of(self, call: Call) -> JSON:
        """What is sent for this call; an input that should be an object, and is none, stays what it is."""
        known = {} if call.own_result is None else {"ownResult": call.own_result}
        if self.schema is not None:
            return {**call.input, **known} if isinstance(call.input, Mapping) else call.input
        if self.identified_by:
            return {self.identified_by: call.input, **known}
        return {"input": call.input, "results": dict(call.results), **known}

    def call_of(self, payload: Mapping[str, JSON], parameter: Mapping[str, JSON]) -> Call:
        """Reverse of ``payload_of``; who is no saga gives at least a key."""
        key = str(parameter["key"])
        direction: Direction = "compensation" if parameter.get("direction") == "compensation" else "action"
        return Call(
            workflow_id=str(parameter.get("workflowId", key)),
            step=str(parameter.get("step", self.address.command)),
            direction=direction,
            input=payload if self.schema is not None else payload.get(self.identified_by or "input"),
            results=payload.get("results") or {},
            attempt=int(parameter.get("attempt", 1)),
            key=key,
            own_result=payload.get("ownResult"),
        )

    def objection(self, payload: JSON) -> list[dict[str, JSON]]:
        """What is wrong with a payload: ``[{"path": [...], "message": "..."}]``; empty if nothing is."""
        return objections(self.accepts, payload)


#: JSON Schema of the parameter of every command of ours.
PARAMETER = {
    "type": "object",
    "properties": {
        "key": {"type": "string", "minLength": 1},
        "workflowId": {"type": "string"},
        "step": {"type": "string"},
        "direction": {"enum": ["action", "compensation"]},
        "attempt": {"type": "integer", "minimum": 1},
        "ordinal": {"type": "integer", "minimum": 1},
        "behaviour": {"type": "string"},
    },
    "required": ["key"],
}


def load_validator() -> None:
    """Import what looks at payloads: at the first command that would take from the step's own time."""
    from jsonschema import Draft202012Validator  # noqa: F401


def objections(schema: Mapping[str, Any], value: JSON) -> list[dict[str, JSON]]:
    """Where a value breaks a JSON Schema: ``[{"path": [...], "message": "..."}]``."""
    from jsonschema import Draft202012Validator  # comes with the bridges; without one nobody asks

    return [
        {"path": [str(part) for part in one.absolute_path], "message": one.message}
        for one in Draft202012Validator(schema).iter_errors(value)
    ]


def command(
    service: str,
    name: str,
    *,
    version: str = "1",
    event: str = "",
    identified_by: str = "",
    schema: Mapping[str, Any] | None = None,
) -> Callable[[_Function], _Function]:
    """Say which command a function is: ``@command("InventoryService", "reserveInventory")``."""

    def mark(function: _Function) -> _Function:
        address = Address(service=service, command=name, version=version)
        one = Command(
            address=address, function=function, event=event, identified_by=identified_by, schema=schema
        )
        setattr(function, _ATTRIBUTE, one)
        return function

    return mark


def command_of(function: Action) -> Command:
    """The command that a function is; of ``SagaService`` if nobody said."""
    marked = getattr(function, _ATTRIBUTE, None)
    if isinstance(marked, Command):
        return marked
    name = getattr(function, "__name__", type(function).__name__)
    return Command(address=Address(service=DEFAULT_SERVICE, command=camel_case(name)), function=function)


def services_of(sagas: Iterable[Saga], more: Iterable[Action] = ()) -> dict[str, dict[Address, Command]]:
    """``{service: {address: command}}`` of every recorded step of these sagas, and of ``more``.

    Raises:
        UsageError: If two functions are the same command.
    """
    found: dict[str, dict[Address, Command]] = {}
    by_subject: dict[str, Command] = {}
    for whose, function in (*_functions_of(sagas), *(("COMMANDS", one) for one in more)):
        one = command_of(function)
        # Names that differ may be the same in a subject: doIt and do_it.
        address = one.address
        subject = served("", address.service, address.version, address.command)
        known = by_subject.setdefault(subject, one)
        found.setdefault(address.service, {}).setdefault(address, one)
        if known.function is not function:
            raise UsageError(
                f"{whose}: two functions are the command {one.address}; give one of them another with "
                "@command(...)"
            )
    return found


def services_in(references: Iterable[str]) -> dict[str, dict[Address, Command]]:
    """``services_of`` everything that a deployment loads; the same errors, and those of ``load_sagas``."""
    names = list(references)
    return services_of(load_sagas(names).values(), load_commands(names))


def _functions_of(sagas: Iterable[Saga]) -> Iterator[tuple[str, Action]]:
    """``(saga, action or compensation)`` of every step that a service acts for."""
    for saga in sagas:
        for step in saga.steps():
            if step.recorded is False:
                continue
            yield f"saga {saga.name!r}", step.action
            if step.compensation is not None:
                yield f"saga {saga.name!r}", step.compensation
