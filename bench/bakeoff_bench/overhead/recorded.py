"""The settings that a Temporal workflow asked for, found in its event history; prints one JSON object.

Run as ``python -m bakeoff_bench.overhead.recorded ADDRESS NAMESPACE WORKFLOW_ID``.
"""

from __future__ import annotations

import asyncio
import json
import sys

from google.protobuf.json_format import MessageToDict
from temporalio.client import Client

#: What says who a saga is, not how it runs.
_NAMES = ("activityId", "activityType", "header", "input", "taskQueue", "workflowTaskCompletedEventId")


async def main(address: str, namespace: str, workflow_id: str) -> None:
    """Print the options of the first activity, and how many events of each kind there were."""
    client = await Client.connect(address, namespace=namespace)
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    scheduled = next(
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    )
    options = MessageToDict(scheduled)
    found = {f"activity.{name}": str(value) for name, value in options.items() if name not in _NAMES}
    print(json.dumps({**found, "events": str(len(history.events))}))
    await asyncio.sleep(0.2)  # sdk-python#300


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
