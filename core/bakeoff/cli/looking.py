"""``bakeoff list``, ``history`` and ``describe``: what can be seen of sagas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bakeoff.cli.clients import Connected, JsonOption, OneEngineOption, WorkflowId, with_client
from bakeoff.cli.screen import say, show_json, show_table
from bakeoff.cli.state import DEFAULT_STATE, StateOption
from bakeoff.engine import Capability, Describes, HasEventHistory, Lists
from bakeoff.errors import NotSupportedError, WorkflowNotFoundError
from bakeoff.outcome import Description, Listed, Page, Status
from bakeoff.patience import page_of


def list_(
    status: Annotated[Status | None, typer.Option("--status", help="Only sagas of this status.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, newest first.")] = 100,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """List the sagas of a deployment, newest first.

    \b
    Example:
        bakeoff list --status running
    """

    async def act(up: Connected) -> Sequence[Listed]:
        return await up.able(Capability.LIST, Lists).list_sagas(status, limit)  # type: ignore[type-abstract]

    found = with_client(state, engine, act)
    if as_json:
        show_json([asdict(one) for one in found])
    elif found:
        show_table(
            ("workflow id", "status", "saga"),
            [(one.workflow_id, str(one.status), one.saga or "?") for one in found],
        )
    else:
        say("no saga" + (f" is {status}" if status else " has been started"))


def history(
    workflow_id: WorkflowId,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Print what happened to a saga.

    The engine's own events, or the ledger's records where it keeps none.

    \b
    Example:
        bakeoff history order-123
    """

    async def act(up: Connected) -> tuple[str, list[dict[str, Any]]]:
        try:
            keeper = up.able(Capability.EVENT_HISTORY, HasEventHistory)  # type: ignore[type-abstract]
        except NotSupportedError as absent:
            return f"From the ledger of the services ({absent}):", _ledger(up, workflow_id)
        events = await keeper.event_history(workflow_id)
        return f"From the event history of {up.engine.name}:", [asdict(event) for event in events]

    source, rows = with_client(state, engine, act)
    if as_json:
        show_json({"workflow_id": workflow_id, "source": source.rstrip(":"), "events": rows})
        return
    say(source)
    show_table(
        ("time (UTC)", "what", "detail"), [(_when(row["at"]), row["kind"], row["detail"]) for row in rows]
    )


def _ledger(up: Connected, workflow_id: str) -> list[dict[str, Any]]:
    world = up.world()
    try:
        records = world.ledger(workflow_id=workflow_id)
    finally:
        world.close()
    if not records:
        raise WorkflowNotFoundError(f"the ledger has no record of {workflow_id!r}: no step of it has run yet")
    return [
        {
            "at": record.at,
            "kind": f"{record.kind} of {record.step} ({record.direction})",
            "detail": f"attempt {record.ordinal}, pid {record.pid}" + (", repeated" if record.repeat else ""),
        }
        for record in records
    ]


def describe(
    workflow_id: WorkflowId,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Tell where a saga is now.

    Step, attempt, next retry, what is awaited, the last error: as far as the engine knows. Where it has a
    web UI, the page of the saga there.

    \b
    Example:
        bakeoff describe order-128
    """

    async def act(up: Connected) -> tuple[Description, Page | None]:
        found = await up.able(Capability.DESCRIBE, Describes).describe(workflow_id)  # type: ignore[type-abstract]
        return found, await page_of(up.engine, up.deployment, workflow_id)

    found, page = with_client(state, engine, act)
    if as_json:
        web_ui = {"web_ui": asdict(page)} if page else {}
        show_json({"workflow_id": workflow_id, **asdict(found), **web_ui})
        return
    say(f"{workflow_id} {found.status}", style="bold")
    print_description(found)
    if page:
        say(f"  {'web UI':14} {page.url or page.how}")


def print_description(found: Description, but: Sequence[str] = ()) -> None:
    """What an engine can tell and what it cannot, a line each, without the fields of ``but``."""
    for title, name in _FIELDS.items():
        if name in but:
            continue
        value = getattr(found, name)
        if name in found.unknown:
            say(f"  {title:14} unknown: {found.unknown[name]}")
        elif value is not None:
            say(f"  {title:14} {_when(value) if name == 'next_retry_at' else value}")


#: ``{what people read: field of Description}``.
_FIELDS = {
    "saga": "saga",
    "current step": "current_step",
    "attempt": "attempt",
    "next retry": "next_retry_at",
    "waits for": "awaiting",
    "last error": "last_error",
}


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
