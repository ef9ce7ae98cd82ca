"""``bakeoff inbox``, ``approve`` and ``reject``: what waits for a person, and the person's answer."""

from __future__ import annotations

import asyncio
import getpass
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.clients import Connected, JsonOption, OneEngineOption, WorkflowId, with_client
from bakeoff.cli.screen import say, show_json, show_table, warn
from bakeoff.cli.state import DEFAULT_STATE, StateOption
from bakeoff.engine import Capability, Describes, Lists, Signals
from bakeoff.errors import UsageError
from bakeoff.outcome import Listed, Status
from bakeoff.registry import load_sagas
from bakeoff.saga import JSON, Saga, Wait
from bakeoff.signals import deliver
from bakeoff.world.progress import read_progress

#: Sagas that are asked at the same time where they are.
_AT_ONCE = 8
#: An engine lists the newest first, and those that wait longest are old.
_LISTED_AT_MOST = 100_000
_ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who decides; your user name if left out.")
]
_CommentOption = Annotated[str | None, typer.Option("--comment", metavar="TEXT", help="Why.")]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A saga that waits for a person.

    Attributes:
        since: Unix seconds of its last progress, after which it came to its wait; of its start if there was
            none, where the engine tells.
    """

    workflow_id: str
    saga: str
    waits_for: str
    since: float | None = None


def inbox(
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Show at most so many, those that wait longest.")
    ] = 200,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """List the sagas that wait for a person, those that wait longest first.

    Waits that an event ends are not in it: nobody has to do anything about them.

    \b
    Example:
        bakeoff start approval-days request-7
        bakeoff inbox
        bakeoff approve approval-days-request-7 --by Ada
    """

    async def act(up: Connected) -> list[Waiting]:
        lists = up.able(Capability.LIST, Lists)  # type: ignore[type-abstract]
        return await _waiting(up, await lists.list_sagas(Status.RUNNING, _LISTED_AT_MOST), limit + 1)

    found = with_client(state, engine, act)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        show_json([asdict(one) for one in shown])
    elif shown:
        show_table(
            ("workflow id", "saga", "waits for", "since (UTC)"),
            [(one.workflow_id, one.saga, one.waits_for, _when(one.since)) for one in shown],
        )
    else:
        say("nothing waits for a person")
    if more:
        warn(f"more than {limit} wait; these have waited longest (--limit shows more)")


async def _waiting(up: Connected, running: Sequence[Listed], most: int) -> list[Waiting]:
    """At most so many that wait for a person, those that wait longest first."""
    describes = up.able(Capability.DESCRIBE, Describes)  # type: ignore[type-abstract]
    sagas = load_sagas(up.deployment.sagas)
    asked = [one for one in running if (saga := sagas.get(one.saga or "")) is None or _human(saga)]
    since = _since(up, asked)
    asked.sort(key=lambda one: since[one.workflow_id] or 0.0)

    async def look(one: Listed) -> Waiting | None:
        told = await describes.describe(one.workflow_id)
        saga = sagas.get(told.saga or "")
        if saga is None or told.awaiting not in _human(saga):
            return None
        return Waiting(one.workflow_id, saga.name, str(told.awaiting), since[one.workflow_id])

    found: list[Waiting] = []
    for start in range(0, len(asked), _AT_ONCE):
        looked = await asyncio.gather(*map(look, asked[start : start + _AT_ONCE]))
        found += [one for one in looked if one is not None]
        if len(found) >= most:
            break
    return found[:most]


def _since(up: Connected, asked: Sequence[Listed]) -> dict[str, float | None]:
    """``{workflow id: Unix seconds}`` of the last progress of each, or of its start."""
    world = up.world()
    try:
        progress = read_progress(world.engine, {one.workflow_id for one in asked})
    finally:
        world.close()
    return {
        one.workflow_id: progress[one.workflow_id].step.at if one.workflow_id in progress else one.started_at
        for one in asked
    }


def approve(
    workflow_id: WorkflowId,
    by: _ByOption = None,
    comment: _CommentOption = None,
    engine: OneEngineOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Answer a saga that waits for a person: yes.

    \b
    Example:
        bakeoff start order-approval order-128
        bakeoff approve order-128 --by Ada
    """
    _answer(workflow_id, "approve", by, comment, None, engine, state)


def reject(
    workflow_id: WorkflowId,
    by: _ByOption = None,
    comment: _CommentOption = None,
    engine: OneEngineOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Answer a saga that waits for a person: no. It is compensated.

    \b
    Example:
        bakeoff reject order-128 --by Grace --comment "too expensive"
    """
    _answer(workflow_id, "reject", by, comment, None, engine, state)


def delegate(
    workflow_id: WorkflowId,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Who is to decide.")],
    by: _ByOption = None,
    comment: _CommentOption = None,
    engine: OneEngineOption = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Answer a saga that waits for a person: somebody else is to decide.

    \b
    Example:
        bakeoff delegate approval-days-request-7 --to Grace
    """
    _answer(workflow_id, "delegate", by, comment, to, engine, state)


def _who_asks() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("nobody knows who you are here: say it with --by NAME") from None


def _answer(
    workflow_id: str,
    word: str,
    by: str | None,
    comment: str | None,
    to: str | None,
    engine: str | None,
    state: Path,
) -> None:
    who = by or _who_asks()
    payload: dict[str, JSON] = {
        "decision": word,
        "approved": word == "approve",
        "by": who,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    payload |= {name: value for name, value in (("comment", comment), ("to", to)) if value}

    async def act(up: Connected) -> str:
        signals = up.able(Capability.SIGNALS, Signals)  # type: ignore[type-abstract]
        told = await up.able(Capability.DESCRIBE, Describes).describe(workflow_id)  # type: ignore[type-abstract]
        saga = load_sagas(up.deployment.sagas).get(told.saga or "")
        waits = {} if saga is None else _human(saga)
        if saga is None or told.awaiting not in waits:
            now = f"it waits for {told.awaiting}" if told.awaiting else f"it is {told.status}"
            raise UsageError(
                f"{workflow_id} does not wait for a person ({now}); `bakeoff inbox` lists those that do"
            )
        if word == "delegate" and not _somebody_comes_after(saga, waits[told.awaiting]):
            raise UsageError(
                f"{workflow_id}: nobody decides after {told.awaiting}; `bakeoff approve` or `reject` it"
            )
        await deliver(signals, saga, workflow_id, told.awaiting, uuid.uuid4().hex, payload)
        return told.awaiting

    answered = with_client(state, engine, act)
    say(f"{workflow_id}: {word} of {answered} by {who} delivered")


def _human(saga: Saga) -> dict[str, Wait]:
    """Waits that nothing but a person ends."""
    waits = (element for element in saga.elements if isinstance(element, Wait))
    return {wait.name: wait for wait in waits if wait.event is None}


def _somebody_comes_after(saga: Saga, wait: Wait) -> bool:
    """Whether a later wait takes the same signal: a delegate's answer."""
    later = saga.elements[saga.index_of(wait.name) + 1 :]
    return any(isinstance(one, Wait) and one.signal_name == wait.signal_name for one in later)


def _when(at: float | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
