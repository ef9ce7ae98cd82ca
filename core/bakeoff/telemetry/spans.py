"""A span while it lasts, and what is exported of it.

Not the SDK's own: that one is made for code that anybody may instrument, with locks, limits and copies, and
costs three times as much. Ours are begun and ended in one place, and exported as its ``ReadableSpan``.
"""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from bakeoff.telemetry.carrying import TRACEPARENT, Headers
from bakeoff.telemetry.names import ERROR_TYPE, Attributes, error_type

_SCOPE = InstrumentationScope("bakeoff")
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_LEFT_OUT = TraceFlags(TraceFlags.DEFAULT)
_UNSET = Status(StatusCode.UNSET)
#: ``00-<32 hexadecimal digits>-<16>-<2>``.
_LENGTH, _TRACE, _SPAN, _FLAGS = 55, slice(3, 35), slice(36, 52), slice(53, 55)


@dataclass(slots=True, kw_only=True)
class Span:
    """Something that has begun.

    Attributes:
        headers: What goes with a message, so that whatever it brings about belongs to this span.
    """

    name: str
    kind: SpanKind
    context: SpanContext
    parent: SpanContext | None
    attributes: Attributes
    headers: Headers
    started_ns: int = field(default_factory=time.time_ns)
    status: Status = _UNSET
    events: list[Event] = field(default_factory=list)

    def happened(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        """Note that something happened meanwhile."""
        self.events.append(Event(name, attributes, time.time_ns()))

    def failed(self, error: BaseException) -> None:
        """It ended so."""
        kind = error_type(error)
        self.attributes[ERROR_TYPE] = kind
        self.status = Status(StatusCode.ERROR, str(error))
        self.happened(
            "exception",
            {
                "exception.type": kind,
                "exception.message": str(error),
                "exception.stacktrace": "".join(traceback.format_exception(error)),
            },
        )

    def ended(self, resource: Resource) -> ReadableSpan:
        """As it is exported."""
        return ReadableSpan(
            self.name,
            self.context,
            self.parent,
            resource,
            self.attributes,
            self.events,
            (),
            self.kind,
            status=self.status,
            start_time=self.started_ns,
            end_time=time.time_ns(),
            instrumentation_scope=_SCOPE,
        )


def begin(name: str, kind: SpanKind, parent: SpanContext | None, attributes: Attributes) -> Span:
    """Begin a span; without a parent it is in a trace of its own."""
    trace_id = parent.trace_id if parent is not None else random.getrandbits(128)
    sampled = parent is None or parent.trace_flags.sampled
    return begin_as(trace_id, random.getrandbits(64), name, kind, parent, attributes, sampled=sampled)


def begin_as(
    trace_id: int,
    span_id: int,
    name: str,
    kind: SpanKind,
    parent: SpanContext | None,
    attributes: Attributes,
    *,
    sampled: bool,
) -> Span:
    """Begin a span whose ids are known."""
    flags = _SAMPLED if sampled else _LEFT_OUT
    return Span(
        name=name,
        kind=kind,
        context=SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags),
        parent=parent,
        attributes=attributes,
        headers={TRACEPARENT: f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"},
    )


def remote(trace_id: int, span_id: int, *, sampled: bool) -> SpanContext:
    """A span of another process."""
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=_SAMPLED if sampled else _LEFT_OUT)


def context_in(headers: Headers | None) -> SpanContext | None:
    """The sender's span; ``None`` if these headers tell of none, or of nonsense.

    Source: W3C Trace Context, level 1, "Version 00"; a later version begins in the same way.
    """
    text = headers.get(TRACEPARENT, "") if headers else ""
    if len(text) < _LENGTH:
        return None
    try:
        trace_id, span_id, flags = int(text[_TRACE], 16), int(text[_SPAN], 16), int(text[_FLAGS], 16)
    except ValueError:
        return None
    if not trace_id or not span_id:
        return None
    return remote(trace_id, span_id, sampled=bool(flags & TraceFlags.SAMPLED))
