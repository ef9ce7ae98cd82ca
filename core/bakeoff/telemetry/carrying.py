"""The trace context that an engine carries from its client to its steps: a small dict of headers.

All that an adapter has to do: put ``carried()`` into what it sends, and, where that arrives, run what it
brings about ``carrying`` it. W3C Trace Context says what is in there; an adapter need not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

#: Names and values as W3C Trace Context has them, e.g. ``{"traceparent": "00-..."}``.
Headers = Mapping[str, str]

#: Name of the one header that everything else follows from.
TRACEPARENT = "traceparent"
_NAMES = (TRACEPARENT, "tracestate")

_T = TypeVar("_T")
_carried: ContextVar[Headers | None] = ContextVar("bakeoff_carried", default=None)


def carried() -> Headers | None:
    """What goes with whatever is sent from here; ``None`` if no trace is."""
    return _carried.get()


def carry(headers: Headers | None) -> None:
    """Carry these headers from here on in this thread or task, for hooks that come in pairs."""
    _carried.set(headers)


@contextmanager
def carrying(headers: Headers | None) -> Iterator[None]:
    """Carry these headers inside this context."""
    token = _carried.set(headers)
    try:
        yield
    finally:
        _carried.reset(token)


def with_headers(headers: Headers | None, function: Callable[[], _T]) -> Callable[[], _T]:
    """The function, carrying these headers wherever it is called; the function itself if there are none."""
    if headers is None:
        return function

    def carry_and_call() -> _T:
        with carrying(headers):
            return function()

    return carry_and_call


def headers_in(message: Mapping[str, object] | None) -> Headers | None:
    """The trace context among a message's headers; ``None`` if it has none."""
    if not message or not isinstance(message.get(TRACEPARENT), str):
        return None
    return {name: str(message[name]) for name in _NAMES if message.get(name)}
