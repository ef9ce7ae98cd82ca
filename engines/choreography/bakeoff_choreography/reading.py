"""What the log tells about sagas, in the words of ``bakeoff.outcome``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bakeoff.outcome import Cause, Description, Event, Listed, Status
from bakeoff.saga import Saga
from bakeoff_choreography.cancelling import turn_of
from bakeoff_choreography.events import Act, token_of
from bakeoff_choreography.log import Entry
from bakeoff_choreography.wiring import Do, Duty

_UNTOLD = "a failed attempt is no event; the server counts deliveries for itself"


def settled(end: Entry) -> Description:
    """Of a saga that is over."""
    story = end.event.story
    assert end.event.over is not None
    return Description(end.event.over, saga=story.saga, last_error=_words(story.cause))


def running(saga: Saga, entries: Sequence[Entry]) -> Description:
    """Of a saga that goes on: whose turn it is after what was said last."""
    turn = turn_of(saga, [entry.event for entry in entries])
    if turn.last.act is Act.WAIT:
        return _running(saga, awaiting=turn.last.element)
    return _running(saga, current_step=_name(saga, turn.duty), cause=turn.last.story.cause)


def _running(
    saga: Saga, current_step: str | None = None, awaiting: str | None = None, cause: Cause | None = None
) -> Description:
    unknown = {"attempt": _UNTOLD, "next_retry_at": _UNTOLD, "last_error": _UNTOLD}
    if cause is not None:
        del unknown["last_error"]
    return Description(
        Status.RUNNING,
        saga=saga.name,
        current_step=current_step,
        awaiting=awaiting,
        last_error=_words(cause),
        unknown=unknown,
    )


def _name(saga: Saga, duty: Duty | None) -> str | None:
    if duty is None:
        return None
    return saga.step(duty.element).compensation_name if duty.do is Do.UNDO else duty.element


def _words(cause: Cause | None) -> str | None:
    return f"{cause.type}: {cause.message}" if cause else None


def listed(
    starts: Sequence[Entry], ends: Mapping[str, str], status: Status | None, limit: int
) -> Sequence[Listed]:
    """Sagas by their first events, newest first; ``ends`` is ``{token of a workflow: status}``."""
    found: list[Listed] = []
    for entry in reversed(starts):
        story = entry.event.story
        now = Status(ends.get(token_of(story.workflow_id), Status.RUNNING))
        if status in (None, now):
            found.append(Listed(story.workflow_id, now, story.saga, entry.at))
    return found[:limit]


def told(entry: Entry) -> Event:
    """One entry of the log as an event."""
    event, cause = entry.event, entry.event.story.cause
    why = f" ({_words(cause)})" if cause and (event.act is Act.ACTION or event.over) else ""
    return Event(entry.at, str(event), f"{event.element or event.story.saga}{why}", entry.size_bytes)
