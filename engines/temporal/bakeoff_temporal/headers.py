"""The trace context of a saga, from its start through the workflow to every activity, in Temporal's headers.

Not ``temporalio.contrib.opentelemetry``: its spans are called otherwise, and one of a workflow is made in
workflow code. Here a workflow only hands on what it was started with, which replays like everything else.
"""

from __future__ import annotations

from typing import Any, Final

from temporalio import client, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.converter import default as default_converter
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.worker import Interceptor as WorkerInterceptor

from bakeoff.telemetry import carried, carrying, headers_in

#: As Temporal's own interceptors for OpenTelemetry call it: a dict as JSON.
HEADER: Final = "_tracer-data"


class CarryHeaders(client.Interceptor, WorkerInterceptor):
    """For clients and workers of a deployment that exports spans."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Send with a start what is carried."""
        return _Client(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Carry what an activity is sent with."""
        return _Activity(next)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """Hand on what a workflow was started with."""
        return _Workflow


class _Client(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        if (headers := carried()) is not None:
            payload = default_converter().payload_converter.to_payload(dict(headers))
            input.headers = {**input.headers, HEADER: payload}
        return await super().start_workflow(input)


class _Activity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        payload = input.headers.get(HEADER)
        brought = default_converter().payload_converter.from_payload(payload) if payload else None
        with carrying(headers_in(brought)):
            return await super().execute_activity(input)


class _Workflow(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = {**input.headers, **_own()}
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = {**input.headers, **_own()}
        return super().start_local_activity(input)


def _own() -> dict[str, Payload]:
    payload = workflow.info().headers.get(HEADER)
    return {} if payload is None else {HEADER: payload}
