"""Approval: a human's word, brought by a signal."""

from __future__ import annotations

from bakeoff.bridge.commands import command
from bakeoff.errors import BusinessError
from bakeoff.saga import JSON, Call


@command("OrderService", "requireApproval")
def require_approval(call: Call) -> JSON:
    """Decline unless the payload of signal ``approval`` says ``{"approved": true}``."""
    payload = call.results.get("approval") or {}
    if payload.get("approved") is not True:
        raise BusinessError(f"rejected by {payload.get('by', 'nobody')}")
    return {"approved_by": payload.get("by")}
