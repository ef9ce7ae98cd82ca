"""The web UI tells the same story as the ledger: looked at through its HTTP API, as a browser does."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.outcome import Status
from bakeoff.saga import RetryPolicy
from bakeoff_temporal.connection import connect
from tests.engines.shared import Shared

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.temporal("ui")


def _get(lab: Lab, path: str) -> Any:
    """GET from the UI's API; it answers 503 during its first second."""
    page = urlsplit(lab.stack.servers[0].pages["Temporal UI"])

    def get() -> Any:
        try:
            with urlopen(f"http://{page.netloc}/api/v1/namespaces/default/{path}", timeout=5) as answer:
                return json.load(answer)
        except HTTPError as error:
            if error.code != 503:
                raise
            return None

    return lab.until(f"an answer of the UI to {path}", get)


def _status(lab: Lab, workflow_id: str) -> str:
    return str(_get(lab, f"workflows/{workflow_id}")["workflowExecutionInfo"]["status"])


def _events(lab: Lab, workflow_id: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = _get(lab, f"workflows/{workflow_id}/history")["history"]["events"]
    return events


def test_page_is_served_to_browsers(lab: Lab) -> None:
    """The printed address answers with the UI's page."""
    with urlopen(lab.stack.servers[0].pages["Temporal UI"], timeout=5) as answer:
        page = answer.read().decode()

    assert "<html" in page


def test_completed_saga_reads_like_the_process(lab: Lab) -> None:
    """The workflow's type is the saga, its activities are the steps, its result are their results."""
    started = lab.settle(sagas.TRIP).started

    events = _events(lab, started.workflow_id)

    assert _status(lab, started.workflow_id) == "WORKFLOW_EXECUTION_STATUS_COMPLETED"
    start = events[0]["workflowExecutionStartedEventAttributes"]
    assert start["workflowType"]["name"] == "trip"
    scheduled = [e["activityTaskScheduledEventAttributes"] for e in events if "Scheduled" in _kind(e)]
    names = [s["activityType"]["name"] for s in scheduled]
    assert names == ["book_flight", "book_hotel", "book_car", "send_itinerary"]


def _kind(event: dict[str, Any]) -> str:
    return "".join(key for key in event if key.startswith("activityTask"))


def test_compensated_saga_is_failed_with_its_cause(lab: Lab) -> None:
    """Failed, with the type and message of the cause, and our outcome in the details."""
    started = lab.settle(sagas.TRIP, fates={"book_car:action": {"then": "decline"}}).started

    events = _events(lab, started.workflow_id)

    assert _status(lab, started.workflow_id) == "WORKFLOW_EXECUTION_STATUS_FAILED"
    failure = events[-1]["workflowExecutionFailedEventAttributes"]["failure"]
    assert failure["message"] == "compensated after book_car: book_car declined"
    information = failure["applicationFailureInfo"]
    assert information["type"] == "BusinessError"
    (detail,) = information["details"]["payloads"]
    outcome = json.loads(base64.b64decode(detail["data"]))
    assert outcome["cause"] == {"type": "BusinessError", "message": "book_car declined", "step": "book_car"}
    scheduled = [e["activityTaskScheduledEventAttributes"] for e in events if "Scheduled" in _kind(e)]
    assert [s["activityType"]["name"] for s in scheduled][-2:] == ["undo_book_hotel", "undo_book_flight"]


def test_waiting_saga_is_running_and_takes_a_signal_from_the_ui(lab: Lab) -> None:
    """A saga that waits is Running; a plain signal, as a person sends it from the UI, lets it go on."""
    started = lab.start(sagas.APPROVAL)
    lab.until("the saga waits", lambda: started.describe().awaiting)

    assert _status(lab, started.workflow_id) == "WORKFLOW_EXECUTION_STATUS_RUNNING"

    async def send() -> None:
        client = await connect(lab.stack.deployment)
        await client.get_workflow_handle(started.workflow_id).signal("approved", {"by": "a person"})

    lab.thread.call(send, 10)
    settled = started.settled()
    assert settled.outcome.results["approved"] == {"by": "a person"}


def test_a_step_between_two_attempts_is_a_pending_action(lab: Lab) -> None:
    """With its attempt and its last failure, which are also what ``describe`` tells."""
    started = lab.start(sagas.PATIENT_JOURNEY, fates={"patient:action": {"first": ["fault"]}})

    def pending() -> dict[str, Any] | None:
        found = _get(lab, f"workflows/{started.workflow_id}").get("pendingActivities", [])
        return next((one for one in found if one.get("lastFailure")), None)

    action = lab.until("a pending action that has failed once", pending)
    described = started.describe()
    assert action["activityType"]["name"] == described.current_step == "patient"
    assert int(action["attempt"]) == described.attempt == 2
    assert described.last_error is not None
    assert action["lastFailure"]["message"] in described.last_error
    assert described.next_retry_at is not None
    assert started.settled().outcome.status is Status.COMPLETED


def test_every_activity_has_the_timeout_and_the_policy_of_its_step(lab: Lab) -> None:
    """Two steps that share neither, and their undos: as the server was told, activity by activity."""
    started = lab.settle(sagas.POLICIES, fates={"patient:action": {"then": "unknown"}}).started

    scheduled = [
        event["activityTaskScheduledEventAttributes"]
        for event in _events(lab, started.workflow_id)
        if "Scheduled" in _kind(event)
    ]
    told = {one["activityType"]["name"]: _patience(one) for one in scheduled}
    meant = {}
    for step in sagas.POLICIES.steps():
        meant[step.name] = _meant(step.timeout, step.retry)
        meant[step.compensation_name] = _meant(step.compensation_timeout, step.compensation_retry)
    assert told == meant
    assert told["hasty"] != told["patient"]


_Patience = tuple[float, float, float, float, int]


def _patience(scheduled: dict[str, Any]) -> _Patience:
    """Start-to-close timeout, first pause, its growth, the longest pause, attempts; times like ``"0.5s"``."""
    policy = scheduled["retryPolicy"]
    timeout, first, longest = (
        float(text.removesuffix("s"))
        for text in (scheduled["startToCloseTimeout"], policy["initialInterval"], policy["maximumInterval"])
    )
    return timeout, first, float(policy["backoffCoefficient"]), longest, int(policy["maximumAttempts"])


def _meant(timeout: timedelta, retry: RetryPolicy) -> _Patience:
    first, longest = retry.initial_interval.total_seconds(), retry.maximum_interval.total_seconds()
    return timeout.total_seconds(), first, retry.backoff_coefficient, longest, retry.maximum_attempts or 0


def test_all_three_are_found_by_status(lab: Lab) -> None:
    """The UI's list filters completed, failed and running sagas."""
    completed = lab.settle(sagas.TRIP).started.workflow_id
    failed = lab.settle(sagas.TRIP, fates={"book_car:action": {"then": "decline"}}).started.workflow_id
    waiting = lab.start(sagas.APPROVAL).workflow_id

    for workflow_id, status in ((completed, "Completed"), (failed, "Failed"), (waiting, "Running")):
        query = quote(f"ExecutionStatus = '{status}'")

        def listed(workflow_id: str = workflow_id, query: str = query) -> bool:
            found = _get(lab, f"workflows?query={query}").get("executions", [])
            return workflow_id in {entry["execution"]["workflowId"] for entry in found}

        assert lab.until(f"{workflow_id} among {status}", listed)
