"""``bakeoff dead-letters``: messages that an engine gave up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from bakeoff.cli.clients import Connected, JsonOption, OneEngineOption, with_client
from bakeoff.cli.screen import say, show_json, show_table
from bakeoff.cli.state import DEFAULT_STATE, StateOption
from bakeoff.engine import HasDeadLetters, Means
from bakeoff.outcome import DeadLetter

_LOOKED_AT = 10_000


def dead_letters(
    all_: Annotated[
        bool, typer.Option("--all", help="Also those that were acted upon: declined and exhausted steps.")
    ] = False,
    requeue: Annotated[
        str | None,
        typer.Option("--requeue", metavar="MESSAGE_ID", help="Put this one back into its queue."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most so many, newest first.")] = 100,
    engine: OneEngineOption = None,
    as_json: JsonOption = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Look into the dead-letter queue, or put a message back.

    Shown are the messages that nobody acted upon: for a task that no worker knows, or that cannot be read. A
    step that was declined or exhausted leaves a dead letter too, but its saga went on by compensation; such
    ones show with --all, and putting them back is refused.

    Exit code 0 if there is none that needs a person, 1 if there is one; with --requeue 0 if it was put back.

    \b
    Examples:
        bakeoff dead-letters
        bakeoff dead-letters --requeue 0b5f1c1e-6a0b-4f0e-9a53-9a9d0c2f6f10
    """

    async def act(up: Connected) -> Sequence[DeadLetter]:
        client = up.able_to(Means.DEAD_LETTERS, HasDeadLetters)  # type: ignore[type-abstract]
        if requeue is not None:
            return [await client.requeue(requeue)]
        return await client.dead_letters(_LOOKED_AT)

    found = with_client(state, engine, act)
    if requeue is not None:
        (back,) = found
        whose = f" of {back.workflow_id}" if back.workflow_id else ""
        say(f"{requeue} ({back.what}{whose}) is back in its queue")
        return
    wanting = [one for one in found if one.is_open]
    shown = (found if all_ else wanting)[:limit]
    if as_json:
        show_json([asdict(one) for one in shown])
    else:
        _print(shown)
        if not all_ and len(found) > len(wanting):
            say(f"{len(found) - len(wanting)} more were acted upon by compensation (--all shows them)")
        if not wanting:
            say("no dead letter needs a person", style="bold green")
    if wanting:
        raise typer.Exit(1)


def _print(letters: Sequence[DeadLetter]) -> None:
    if letters:
        show_table(
            ("message id", "since (UTC)", "for", "saga", "is", "why"),
            [
                (
                    one.message_id,
                    "?" if one.at is None else datetime.fromtimestamp(one.at, UTC).strftime("%m-%d %H:%M:%S"),
                    one.what or "?",
                    one.workflow_id or "?",
                    str(one.saga_status or "?"),
                    one.reason,
                )
                for one in letters
            ],
        )
