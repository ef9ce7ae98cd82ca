"""Approval: somebody asks, somebody decides, and it is done or not.

The input is the request's id. Who is asked approves, rejects, or hands the decision to somebody else; who
says nothing for a day loses it to his superior. That one has three days, and nobody comes after him.

A decision is ``{"decision": "approve" | "reject" | "delegate", "by": ..., "at": ...}``, with a ``"comment"``
where there is one.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bakeoff.bridge.commands import command
from bakeoff.errors import BusinessError
from bakeoff.saga import JSON, Call, Saga, Step, Wait
from bakeoff.world.cases import put

_TIMEOUT = timedelta(seconds=2)
_FINAL = ("approve", "reject")


@command("ApprovalService", "submitRequest", event="requestSubmitted")
def submit_request(call: Call) -> JSON:
    """Put the request before whoever decides."""
    put(call.tx, "request", call.input, "submitted")
    return {"requestId": call.input}


@command("ApprovalService", "withdrawRequest")
def withdraw_request(call: Call) -> JSON:
    """Take it back."""
    put(call.tx, "request", call.input, "withdrawn")
    return {"requestId": call.input}


@command("ApprovalService", "escalateRequest", event="requestEscalated")
def escalate_request(call: Call) -> JSON:
    """Put it before somebody else: a delegate, or the superior of who was silent."""
    first = _decision(call.results.get("decision"))
    to = first.get("to") or "the superior"
    put(call.tx, "escalation", call.input, "open", {"to": to})
    return {"requestId": call.input, "to": to, "because": first.get("decision") or "nobody answered"}


@command("ApprovalService", "recordDecision", event="requestDecided")
def record_decision(call: Call) -> JSON:
    """Write down who decided what, when and why, for good."""
    last = _last(call.results)
    told = {name: last.get(name) for name in ("decision", "by", "at")}
    if "comment" in last:
        told["comment"] = last["comment"]
    put(call.tx, "decision", call.input, str(told["decision"]), told)
    return {"requestId": call.input, **told}


@command("ApprovalService", "executeRequest", event="requestExecuted")
def execute_request(call: Call) -> JSON:
    """Do what was asked for; decline what was rejected."""
    last = _last(call.results)
    if last.get("decision") != "approve":
        raise BusinessError(f"rejected by {last.get('by') or 'nobody'}")
    put(call.tx, "request", call.input, "executed")
    return {"requestId": call.input}


def _decision(payload: JSON) -> dict[str, Any]:
    return payload if isinstance(payload, dict) else {}


def _last(results: Mapping[str, JSON]) -> dict[str, Any]:
    return _decision(results.get("final_decision") or results.get("decision"))


def _undecided(input: JSON, results: Mapping[str, JSON]) -> bool:
    return _decision(results.get("decision")).get("decision") not in _FINAL


def approval(name: str, day: timedelta) -> Saga:
    """The process, with days of that length."""
    return Saga(
        name,
        (
            Step(
                name="submit_request",
                action=submit_request,
                compensation=withdraw_request,
                timeout=_TIMEOUT,
            ),
            Wait(name="decision", timeout=day, on_timeout="continue"),
            Step(name="escalate_request", action=escalate_request, when=_undecided, timeout=_TIMEOUT),
            Wait(name="final_decision", signal="decision", timeout=3 * day, when=_undecided),
            Step(name="record_decision", action=record_decision, timeout=_TIMEOUT),
            Step(name="execute_request", action=execute_request, timeout=_TIMEOUT),
        ),
    )


APPROVAL = approval("approval", timedelta(seconds=0.5))
APPROVAL_DAYS = approval("approval-days", timedelta(days=1))


def facts(request: str) -> dict[str, JSON]:
    """Of ten requests six are approved, one is rejected, one delegated, one escalated, and one forgotten."""
    drawn = zlib.crc32(str(request).encode()) % 10
    yes: JSON = {"decision": "approve", "by": "Ada"}
    no: JSON = {"decision": "reject", "by": "Grace"}
    if drawn < 6:
        return {"signals": {"decision": yes}}
    if drawn == 6:
        return {"signals": {"decision": no}, "declines": ["execute_request"]}
    if drawn == 7:
        delegated: JSON = {"decision": "delegate", "by": "Ada", "to": "Grace"}
        return {"signals": {"decision": delegated, "final_decision": no}, "declines": ["execute_request"]}
    return {"signals": {"final_decision": yes} if drawn == 8 else {}}
