"""Locust's web page: every start is a load of its own on the same engine, and Ctrl-C ends all of it."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from bakeoff.processes import free_ports
from tests.load.locusts import locust
from tests.processes.traces import Traces, until
from tests.steady import stood_still

pytestmark = [pytest.mark.service, pytest.mark.slow]


class Page:
    """What a browser would ask for."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def is_up(self) -> bool:
        try:
            return bool(self._ask("/stats/requests"))
        except urllib.error.URLError:
            return False

    def start(self) -> None:
        form = urllib.parse.urlencode({"user_count": 1, "spawn_rate": 1}).encode()
        assert self._ask("/swarm", form)["success"]

    def stats(self) -> dict[str, Any]:
        return self._ask("/stats/requests")

    def _ask(self, path: str, form: bytes | None = None) -> dict[str, Any]:
        with urllib.request.urlopen(self._url + path, form, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found


def test_two_loads_by_the_page_and_ctrl_c_in_the_second(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    line = ["--engine", "inline", "--rate", "6", "--duration", "8", "--web-host", "127.0.0.1"]
    with locust(tmp_path / "it", [*line, "--web-port", str(port)], headless=False) as it:
        page = Page(port)
        until(page.is_up, "the page is there", 100)
        page.start()
        until(lambda: page.stats()["state"] == "stopped", "the load is over", 100)
        stats = page.stats()["stats"]
        until(lambda: "load 1: " in it.said, "it is summed up", 60)
        traces = Traces(it.process.pid)  # all of it is there by now
        page.start()
        until(lambda: bool(it.files("*/load-2/samples.jsonl")), "the second load has begun", 60)
        it.process.send_signal(signal.SIGINT)
        said = it.end()

    (first,) = re.findall(r"^load 1: .*: (\d+) sagas$", said, re.MULTILINE)
    assert {one["name"]: one["num_requests"] for one in stats}["order-accepted"] == int(first) > 10
    (second,) = re.findall(r"^load 2: .*: (\d+) sagas$", said, re.MULTILINE)
    assert 0 < int(second) < int(first)
    assert "it did not come to its end, so there are no numbers" in said
    # Its last saga may have been cut off with the engine, which runs in there.
    (validity,) = re.findall(r"^ledger: (\w+); ", said, re.MULTILINE)
    assert validity in ("valid", "unknown") or stood_still(said), said
    assert it.process.returncode == (0 if validity == "valid" else 1), said
    assert "Traceback" not in said
    assert traces.alive() == []
    assert traces.held_ports() == []
    assert list(it.temporary.iterdir()) == []
