"""What a workflow that a schedule started makes of its id: the input, which no action can have per period."""

from __future__ import annotations

from typing import Final

from bakeoff.saga import JSON

#: Memo of such a workflow: the deployment's prefix, which is no part of the saga's own id.
BY_SCHEDULE: Final = "by_schedule"


def input_of(native_id: str, prefix: str | None, argument: JSON) -> JSON:
    """The saga's input: its own id where a schedule started it, else the argument of its start.

    Args:
        native_id: The workflow's id.
        prefix: As the memo holds it; ``None``: no schedule did.
        argument: Of the start.
    """
    return argument if prefix is None else native_id.removeprefix(prefix)
