"""The spans of one process, whatever its engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from bakeoff.bridge.interface import Address, Event, Request
from bakeoff.deployment import Deployment
from bakeoff.outcome import Outcome
from bakeoff.outcome import Status as SagaStatus
from bakeoff.saga import JSON, Call
from bakeoff.telemetry import names
from bakeoff.telemetry.carrying import Headers, carried, carrying
from bakeoff.telemetry.exporting import Exporting
from bakeoff.telemetry.spans import Span, begin, begin_as, context_in, remote
from bakeoff.telemetry.switch import Otlp


class Tracing:
    """Makes spans and exports them.

    Args:
        deployment: Whose sagas they are of.
        otlp: Where they go.
        service: What this process is.
    """

    def __init__(self, deployment: Deployment, otlp: Otlp, service: str) -> None:
        self._exporting = Exporting(otlp, service)
        self._seed = otlp.seed
        self._of_engine = names.engine_attributes(deployment)
        self._bridge = deployment.bridge

    # -- a client's ----------------------------------------------------------------------------------

    def saga(self, saga: str, workflow_id: str) -> Span:
        """Begin the span of a saga; one that is never ended is never exported."""
        trace_id, span_id = names.ids_of(self._seed, workflow_id)
        return begin_as(
            trace_id,
            span_id,
            names.saga_name(saga),
            SpanKind.CLIENT,
            None,
            {**self._of_engine, **names.saga_attributes(saga, workflow_id)},
            sampled=self._exporting.samples(trace_id),
        )

    def over(self, span: Span, outcome: Outcome | None = None) -> None:
        """End the span of a saga, whose outcome may have stayed unknown."""
        if outcome is not None:
            span.attributes[names.OUTCOME] = str(outcome.status)
            if outcome.status is not SagaStatus.COMPLETED:
                cause = outcome.cause
                if cause is not None:
                    span.attributes[names.ERROR_TYPE] = cause.type
                text = f"{cause.step}: {cause.type}: {cause.message}" if cause else str(outcome.status)
                span.status = Status(StatusCode.ERROR, text)
        self._exporting.take(span)

    # -- a worker's ----------------------------------------------------------------------------------

    @contextmanager
    def step(self, saga: str, call: Call) -> Iterator[None]:
        """One attempt, in the trace that the engine carried here."""
        parent = context_in(carried())
        attributes = {
            **self._of_engine,
            **names.step_attributes(saga, call),
            names.CONTEXT: "derived" if parent is None else "carried",
        }
        parent = parent or self._derived(call.workflow_id)
        with self._during(names.step_name(call), SpanKind.CONSUMER, parent, attributes):
            yield

    @contextmanager
    def command(self, address: Address, call: Call) -> Iterator[Headers]:
        """A command that the step of this thread sends, with what goes with it."""
        attributes = {
            **names.command_attributes(address, self._bridge),
            **names.call_attributes(call.workflow_id, call.step, call.direction, call.attempt),
        }
        name = names.command_name(address, "command")
        with self._during(name, SpanKind.CLIENT, context_in(carried()), attributes) as span:
            yield span.headers

    # -- a service's ---------------------------------------------------------------------------------

    @contextmanager
    def serving(self, request: Request) -> Iterator[Headers]:
        """A command that this service acts on, with what goes with its answer."""
        attributes = {
            **names.command_attributes(request.address, self._bridge),
            **names.parameter_attributes(request.parameter),
        }
        name = names.command_name(request.address, "serve")
        with self._during(name, SpanKind.SERVER, context_in(request.trace), attributes) as span:
            yield span.headers

    @contextmanager
    def emitting(self, event: str, workflow_id: JSON, trace: Headers) -> Iterator[Headers]:
        """An event that is published, with what goes with it."""
        attributes = names.event_attributes(event, self._bridge, "send", workflow_id)
        parent = context_in(trace) or context_in(carried())
        with self._during(f"emit {event}", SpanKind.PRODUCER, parent, attributes) as span:
            yield span.headers

    @contextmanager
    def hearing(self, event: Event, workflow_id: str | None) -> Iterator[None]:
        """An event that signals a saga."""
        attributes = names.event_attributes(event.name, self._bridge, "process", workflow_id)
        with self._during(f"hear {event.name}", SpanKind.CONSUMER, context_in(event.trace), attributes):
            yield

    def close(self) -> None:
        """Export what is left; at the end of the process."""
        self._exporting.close()

    # -- how -----------------------------------------------------------------------------------------

    @contextmanager
    def _during(
        self, name: str, kind: SpanKind, parent: SpanContext | None, attributes: names.Attributes
    ) -> Iterator[Span]:
        span = begin(name, kind, parent, attributes)
        try:
            with carrying(span.headers):
                yield span
        except BaseException as error:  # a time limit may strike here, and is no Exception
            span.failed(error)
            raise
        finally:
            self._exporting.take(span)

    def _derived(self, workflow_id: str) -> SpanContext:
        """Of a saga whose context got lost: sampled as its client has sampled it."""
        trace_id, span_id = names.ids_of(self._seed, workflow_id)
        return remote(trace_id, span_id, sampled=self._exporting.samples(trace_id))
