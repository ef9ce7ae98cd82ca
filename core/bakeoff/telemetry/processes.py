"""The tracing of a process, if its deployment has any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff.deployment import Deployment

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing


def tracing_of(deployment: Deployment, service: str) -> Tracing | None:
    """Tracing for this process, made once in it, after its last fork; ``None``: it makes no spans.

    Args:
        deployment: What this process belongs to.
        service: What this process is, e.g. ``bakeoff-worker``.
    """
    if deployment.otlp is None:
        return None
    from bakeoff.telemetry.tracing import Tracing  # brings the SDK, which costs memory and time

    return Tracing(deployment, deployment.otlp, service)
