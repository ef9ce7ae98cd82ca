"""The spans of one process, whatever its engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bakeoff.bridge.interface import Address, Event, Request
from bakeoff.deployment import Deployment
from bakeoff.outcome import Outcome
from bakeoff.outcome import Status as SagaStatus
from bakeoff.saga import JSON, Call
from bakeoff.telemetry import names
from bakeoff.telemetry.carrying import Headers, carried
from bakeoff.telemetry.exporting import Exporting, laid_down
from bakeoff.telemetry.switch import Otlp

_W3C = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans and exports them.

    Args:
        deployment: Whose sagas they are of.
        otlp: Where they go.
        service: What this process is.
    """

    def __init__(self, deployment: Deployment, otlp: Otlp, service: str) -> None:
        self._exporting = Exporting(otlp, service)
        self._tracer = self._exporting.provider.get_tracer("bakeoff")
        self._seed = otlp.seed
        self._of_engine = names.engine_attributes(deployment)
        self._bridge = deployment.bridge

    # -- a client's ----------------------------------------------------------------------------------

    def saga(self, saga: str, workflow_id: str) -> Span:
        """Begin the span of a saga; one that is never ended is never exported."""
        token = laid_down.set(names.ids_of(self._seed, workflow_id))
        try:
            return self._tracer.start_span(
                names.saga_name(saga),
                Context(),
                SpanKind.CLIENT,
                {**self._of_engine, **names.saga_attributes(saga, workflow_id)},
            )
        finally:
            laid_down.reset(token)

    @staticmethod
    def over(span: Span, outcome: Outcome | None = None) -> None:
        """End the span of a saga, whose outcome may have stayed unknown."""
        if outcome is not None:
            span.set_attribute(names.OUTCOME, str(outcome.status))
            if outcome.status is not SagaStatus.COMPLETED:
                cause = outcome.cause
                if cause is not None:
                    span.set_attribute(names.ERROR_TYPE, cause.type)
                text = f"{cause.step}: {cause.type}: {cause.message}" if cause else str(outcome.status)
                span.set_status(Status(StatusCode.ERROR, text))
        span.end()

    # -- a worker's ----------------------------------------------------------------------------------

    @contextmanager
    def step(self, saga: str, call: Call) -> Iterator[None]:
        """One attempt, in the trace that the engine carried here."""
        headers = carried()
        parent = self._carried(headers) or self._derived(call.workflow_id)
        attributes = {
            **self._of_engine,
            **names.step_attributes(saga, call),
            names.CONTEXT: "derived" if headers is None else "carried",
        }
        with self._during(names.step_name(call), SpanKind.CONSUMER, parent, attributes):
            yield

    @contextmanager
    def command(self, address: Address, call: Call) -> Iterator[Headers]:
        """A command that this step sends, with what goes with it."""
        attributes = {
            **names.command_attributes(address, self._bridge),
            **names.call_attributes(call.workflow_id, call.step, call.direction, call.attempt),
        }
        name = names.command_name(address, "command")
        with self._during(name, SpanKind.CLIENT, get_current(), attributes) as span:
            yield headers_of(span)

    # -- a service's ---------------------------------------------------------------------------------

    @contextmanager
    def serving(self, request: Request) -> Iterator[Headers]:
        """A command that this service acts on, with what goes with its answer."""
        attributes = {
            **names.command_attributes(request.address, self._bridge),
            **names.parameter_attributes(request.parameter),
        }
        name = names.command_name(request.address, "serve")
        parent = self._carried(request.trace) or Context()
        with self._during(name, SpanKind.SERVER, parent, attributes) as span:
            yield headers_of(span)

    @contextmanager
    def emitting(self, event: str, workflow_id: JSON, trace: Headers) -> Iterator[Headers]:
        """An event that is published, with what goes with it."""
        attributes = names.event_attributes(event, self._bridge, "send", workflow_id)
        parent = self._carried(trace) or get_current()
        with self._during(f"emit {event}", SpanKind.PRODUCER, parent, attributes) as span:
            yield headers_of(span)

    @contextmanager
    def hearing(self, event: Event, workflow_id: str | None) -> Iterator[None]:
        """An event that signals a saga."""
        attributes = names.event_attributes(event.name, self._bridge, "process", workflow_id)
        parent = self._carried(event.trace) or Context()
        with self._during(f"hear {event.name}", SpanKind.CONSUMER, parent, attributes):
            yield

    def close(self) -> None:
        """Export what is left; at the end of the process."""
        self._exporting.close()

    # -- how -----------------------------------------------------------------------------------------

    @contextmanager
    def _during(
        self, name: str, kind: SpanKind, parent: Context, attributes: names.Attributes
    ) -> Iterator[Span]:
        span = self._tracer.start_span(name, parent, kind, attributes)
        token = attach(set_span_in_context(span, parent))
        try:
            yield span
        except BaseException as error:  # a time limit may strike here, and is no Exception
            span.record_exception(error)
            span.set_attribute(names.ERROR_TYPE, names.error_type(error))
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise
        finally:
            detach(token)
            span.end()

    @staticmethod
    def _carried(headers: Headers | None) -> Context | None:
        return _W3C.extract(headers, Context()) if headers else None

    def _derived(self, workflow_id: str) -> Context:
        """Of a saga whose context got lost: sampled as its client has sampled it."""
        trace_id, span_id = names.ids_of(self._seed, workflow_id)
        sampled = self._exporting.provider.sampler.should_sample(None, trace_id, "").decision.is_sampled()
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        parent = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
        return set_span_in_context(NonRecordingSpan(parent), Context())


def headers_of(span: Span) -> Headers:
    """What a message carries, so that whatever it brings about belongs to this span."""
    headers: dict[str, str] = {}
    _W3C.inject(headers, set_span_in_context(span, Context()))
    return headers
