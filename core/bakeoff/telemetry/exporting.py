"""From spans to a receiver: in the background, in batches, and never in the way of a saga.

A receiver that is away costs the spans: the queue is bounded, and what does not fit is dropped. A process
that is killed loses what it has not exported, two seconds' worth. The SDK's own variables, such as
``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_BSP_*`` and ``OTEL_TRACES_SAMPLER``, apply in every process.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import (
    OTEL_BSP_SCHEDULE_DELAY,
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.types import AttributeValue

from bakeoff.telemetry.spans import Span
from bakeoff.telemetry.switch import Otlp

_PATH: Final = "/v1/traces"
#: Milliseconds between two exports, unless the environment says otherwise. Each costs every process of a
#: worker a millisecond or more, however few spans there are; what is killed meanwhile loses them.
_EVERY_MS: Final = 2000
#: Seconds that the end of a process may wait for its last spans.
_LAST_SPANS_S: Final = 3.0
_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk._shared_internal",
)


class Exporting:
    """One process's way to the receiver.

    Args:
        otlp: Where to.
        service: What this process is, in the resource of all its spans.
    """

    def __init__(self, otlp: Otlp, service: str) -> None:
        _tell_once()
        self._exporter = OTLPSpanExporter(_endpoint(otlp.url))
        self._resource = _Resource(
            Resource.create(
                {
                    "service.name": service,
                    "service.namespace": "bakeoff",
                    "service.version": version("bakeoff"),
                    "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
                }
            ).attributes
        )
        every_ms = None if os.environ.get(OTEL_BSP_SCHEDULE_DELAY) else _EVERY_MS
        self._batches = BatchSpanProcessor(self._exporter, schedule_delay_millis=every_ms)
        self._sampler = TracerProvider(shutdown_on_exit=False).sampler  # what the environment asks for

    def samples(self, trace_id: int) -> bool:
        """Whether a trace is exported; its id decides, and everybody comes to the same answer."""
        return bool(self._sampler.should_sample(None, trace_id, "saga").decision.is_sampled())

    def take(self, span: Span) -> None:
        """Export a span that ends now, sooner or later."""
        if span.context.trace_flags.sampled:
            self._batches.on_end(span.ended(self._resource))

    def close(self) -> None:
        """Export what is left, but do not wait long for a receiver that is away."""
        last = threading.Thread(target=self._batches.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(_LAST_SPANS_S)
        if last.is_alive():
            self._exporter.shutdown()


class _Resource(Resource):
    """The SDK hashes the resource of every span, and makes JSON of it each time; this one never changes."""

    def __init__(self, attributes: Mapping[str, AttributeValue]) -> None:
        super().__init__(attributes)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other


class _Once(logging.Filter):
    """Lets the first complaint through; a receiver that is away is told about once."""

    def __init__(self) -> None:
        super().__init__()
        self._told = False

    def filter(self, record: logging.LogRecord) -> bool:
        told, self._told = self._told, True
        return not told


def _tell_once() -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _Once) for one in logger.filters):
            logger.addFilter(_Once())


def _endpoint(url: str) -> str | None:
    """Where spans go; ``None``: where the environment of this very process says."""
    if os.environ.get(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) or os.environ.get(OTEL_EXPORTER_OTLP_ENDPOINT):
        return None
    base = url.rstrip("/")
    return base if base.endswith(_PATH) else f"{base}{_PATH}"
