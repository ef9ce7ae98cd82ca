"""The page of a workflow in Temporal's own web UI, where that is up and knows the workflow."""

from __future__ import annotations

import asyncio
import json
from typing import Final
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector

from bakeoff.credentials import hide_credentials
from bakeoff.deployment import Deployment
from bakeoff.errors import UsageError
from bakeoff.outcome import Page
from bakeoff.settings import SettingsInForce
from bakeoff_temporal.connection import ROLE

#: What the dev server's page is called, by the server and in ``Deployment.pages``.
TITLE: Final = "Temporal UI"
_ANSWER_WITHIN_S: Final = 2.0
#: Answers by which the UI says that it does not know the workflow.
_UNKNOWN: Final = (400, 404)


def check_ui(settings: SettingsInForce) -> None:
    """``UsageError`` for a ``ui`` that nobody could open, or that would be printed with a password."""
    ui = str(settings["ui"] or "")
    if ui and not ui.startswith(("http://", "https://")):
        raise UsageError(
            f"temporal.ui={hide_credentials(ui)}: give a URL as a browser takes it, http://host:port"
        )
    if "@" in ui:
        raise UsageError(f"temporal.ui={hide_credentials(ui)}: it is printed, so leave user and password out")


async def page_of(deployment: Deployment, workflow_id: str) -> Page:
    """Ask the UI for the workflow's newest run, as its pages do, and lead to that."""
    settings = deployment.settings
    if ROLE in deployment.external:
        base = str(settings.values.get("ui") or "").rstrip("/")
        if not base:
            return Page(
                how="none is known; say where your server has it: --set temporal.ui=http://localhost:8080"
            )
    else:
        base = deployment.pages.get(TITLE, "").partition("/namespaces/")[0]
        if not base:
            return Page(how=_gone(settings))
    place = f"namespaces/{quote(str(settings.values.get('namespace') or 'default'), safe='')}/workflows"
    native = quote(deployment.native_id(workflow_id), safe="")
    try:
        run_id = await asyncio.to_thread(_newest_run, f"{base}/api/v1/{place}/{native}")
    except HTTPError as error:
        if error.code in _UNKNOWN:
            return Page(how=f"the one at {base} knows no such saga (any more)")
        return Page(how=f"the one at {base} does not show it (HTTP {error.code})")
    except (OSError, ValueError, LookupError, TypeError):
        return Page(how=f"none answers at {base}")
    return Page(url=f"{base}/{place}/{native}/{quote(run_id, safe='')}/history")


def _gone(settings: SettingsInForce) -> str:
    if settings.values.get("server") == "time-skipping":
        return "the time-skipping test server has none"
    return (
        "gone with the server that the run had started; `bakeoff up --engine temporal` has one for its "
        "sagas, and that of a server of your own stays (temporal.address, temporal.ui)"
    )


def _newest_run(url: str) -> str:
    """The run id. No proxy is asked: a UI is mostly on this machine. Nothing but HTTP is opened."""
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    with opener.open(url, timeout=_ANSWER_WITHIN_S) as answer:
        if answer.status != 200:
            raise HTTPError(url, answer.status, answer.reason, answer.headers, None)
        return str(json.load(answer)["workflowExecutionInfo"]["execution"]["runId"])
