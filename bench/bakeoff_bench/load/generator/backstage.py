"""What stands behind Locust when a user runs it: an engine that another process brings up and judges."""

from __future__ import annotations

import atexit
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
from gevent import subprocess
from locust.env import Environment

from bakeoff.processes import scratch_folder
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.stagehand import VERDICT, Wanted, order_file

_POLL_S = 0.1
#: Seconds until an engine must be up, a load prepared, the ledger judged.
_UP_S, _PREPARED_S, _JUDGED_S = 120.0, 60.0, 120.0


def add_options(parser: Any) -> None:
    """Locust's own command line learns what a load is."""
    group = parser.add_argument_group("bakeoff", "The load, and the engine that bears it.")
    group.add_argument("--scenario", default="order-steady", help="`bakeoff scenarios` lists them")
    group.add_argument("--engine", default="inline", help="the engine; it is started for you")
    group.add_argument("--broker", default="", help="where the engine has a choice")
    group.add_argument("--config-class", default="recommended", help="default, recommended or ci")
    group.add_argument("--set", action="append", default=[], metavar="ENGINE.NAME=VALUE", dest="sets")
    group.add_argument("--ledger", default="sqlite", help="sqlite, postgres, or a URL for all machines")
    group.add_argument("--rate", type=float, default=10.0, help="arrivals per second")
    group.add_argument("--duration", type=float, default=0.0, help="seconds; the scenario's own if left out")
    group.add_argument("--arrivals", choices=("poisson", "constant"), default="poisson")
    group.add_argument("--closed", type=int, default=0, help="closed loop with so many sagas in flight")
    group.add_argument("--workers", type=int, default=1, help="worker processes of the engine")
    group.add_argument("--slots", type=int, default=4, help="steps that one of them runs at once")
    group.add_argument("--seed", type=int, default=1, help="of arrivals and fates")


class Backstage:
    """An engine in a process of its own; it judges the ledger when Locust ends."""

    def __init__(self, environment: Environment) -> None:
        options = vars(environment.parsed_options)
        self._scratch = ExitStack()
        # Swept at the next start of bakeoff if Locust is killed.
        self._folder = self._scratch.enter_context(scratch_folder("locust"))
        names = [name for name in Wanted.__dataclass_fields__ if name != "folder"]
        wanted = Wanted(folder=str(self._folder), **{name: options[name] for name in names})
        self._loads = 0
        self._code: int | None = None
        self._child = subprocess.Popen(
            [sys.executable, "-m", "bakeoff_bench.load.stagehand", json.dumps(wanted.to_json())],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is Locust's; this one goes when its standard input ends
        )
        atexit.register(self.leave)
        self._wait_for(self._folder / "up", _UP_S)

    def next_load(self) -> LoadOrder:
        """Have the orders of one more load made known to the services."""
        self._loads += 1
        assert self._child.stdin is not None
        self._child.stdin.write(b"next\n")
        self._child.stdin.flush()
        file = order_file(self._folder, self._loads)
        self._wait_for(file, _PREPARED_S)
        return LoadOrder.read(file)

    def leave(self) -> int:
        """Let it judge and take everything down; return 0 for a valid ledger, 1 for another, 2 for none."""
        if self._child.stdin is not None and not self._child.stdin.closed:
            self._child.stdin.close()
        try:
            self._child.wait(_JUDGED_S)
        except subprocess.TimeoutExpired:
            self._child.terminate()
            self._child.wait()
        verdict = self._folder / VERDICT
        if self._code is None:
            self._code = int(verdict.read_text()) if verdict.exists() else 2
            self._scratch.close()
        return self._code

    def _wait_for(self, file: Path, seconds: float) -> None:
        deadline_s = time.monotonic() + seconds
        while not file.exists():
            if self._child.poll() is not None or time.monotonic() > deadline_s:
                raise SystemExit(self.leave())  # it has said why
            gevent.sleep(_POLL_S)
