"""The web UI tells the same story as the ledger: looked at through its HTTP API, as a browser does."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
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
