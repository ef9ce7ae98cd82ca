"""Where the time of a saga goes: one trace, made of ledger and history in the same way for every engine."""

from __future__ import annotations

from bakeoff_bench.trace.reading import traces_of
from bakeoff_bench.trace.span import Part, Span, Trace
from bakeoff_bench.trace.tracing import trace_of

__all__ = ["Part", "Span", "Trace", "trace_of", "traces_of"]
