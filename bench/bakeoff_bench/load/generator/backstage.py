"""What stands behind Locust when a user runs it: an engine that another process brings up and judges."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
import typer
from gevent import subprocess
from locust.env import Environment

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.cli.numbers import read_seconds
from bakeoff.processes import scratch_folder
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.stagehand import NEXT, OVER, VERDICT, order_file
from bakeoff_bench.load.wanted import Wanted

_POLL_S = 0.1
#: Seconds until an engine must be up; a load prepared, once what an earlier one left behind is done; the
#: ledger judged, once what was broken off has ended.
_UP_S, _PREPARED_S, _JUDGED_S = 120.0, 240.0, 300.0


def add_options(parser: Any) -> None:
    """Locust's own command line learns what a load is."""
    group = parser.add_argument_group("bakeoff", "The load, and the engine that bears it.")
    group.add_argument("--scenario", default="order-steady", help="`bakeoff scenarios` lists them")
    group.add_argument("--engine", default="inline", help="the engine; it is started for you")
    group.add_argument("--broker", default="", help="where the engine has a choice")
    group.add_argument("--config-class", default="recommended", help="default, recommended, tuned or ci")
    group.add_argument("--set", action="append", default=[], metavar="ENGINE.NAME=VALUE", dest="sets")
    group.add_argument("--ledger", default="sqlite", help="sqlite, postgres, or a URL for all machines")
    group.add_argument("--bridge", default=IN_PROCESS, help="between steps and services: nats, or its URL")
    group.add_argument("--rate", type=float, default=None, help="arrivals per second, of all generators; 10")
    group.add_argument(
        "--duration", type=_seconds, default=None, help="seconds; the scenario's own if left out"
    )
    group.add_argument("--warm-up", type=_seconds, default=None, help="seconds whose arrivals do not count")
    group.add_argument("--arrivals", choices=("poisson", "constant"), default="poisson")
    group.add_argument("--closed", type=int, default=0, help="closed loop with so many sagas in flight")
    group.add_argument(
        "--shape", default="", metavar="MODULE:CLASS", help="your LoadTestShape; users are rates"
    )
    group.add_argument(
        "--fault", default="", metavar="FAULT:POINT", help="strikes in the middle of each load"
    )
    group.add_argument(
        "--arm-after", type=_seconds, default=None, help="seconds; the next saga there is struck"
    )
    group.add_argument("--workers", type=int, default=1, help="worker processes of the engine")
    group.add_argument("--slots", type=int, default=4, help="steps that one of them runs at once")
    group.add_argument("--seed", type=int, default=1, help="of arrivals and fates")
    group.add_argument(
        "--out", default="", metavar="DIR", help="keep samples and histograms in this new folder"
    )


def _seconds(text: str) -> float:
    """As ``bakeoff load`` reads them: ``60``, ``60s``, ``1m30s``."""
    try:
        return read_seconds(text)
    except typer.BadParameter as error:
        raise argparse.ArgumentTypeError(error.message) from None


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
        self._on = False
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
        self._say(NEXT)
        self._on = True
        file = order_file(self._folder, self._loads)
        self._wait_for(file, _PREPARED_S)
        return LoadOrder.read(file)

    def over(self) -> None:
        """Have the load that is on summed up: what its generators wrote is where its order says."""
        if self._on:
            self._on = False
            self._say(OVER)

    def leave(self) -> int:
        """Let it judge and take everything down.

        Returns:
            0 for a valid ledger and loads that count, 1 if one of them is not, 2 if nothing can be said.
        """
        if self._child.stdin is not None and not self._child.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
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

    def _say(self, word: str) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended; whoever waits for it notices
            self._child.stdin.write(f"{word}\n".encode())
            self._child.stdin.flush()

    def _wait_for(self, file: Path, seconds: float) -> None:
        deadline_s = time.monotonic() + seconds
        while not file.exists():
            if self._child.poll() is not None or time.monotonic() > deadline_s:
                raise SystemExit(self.leave())  # it has said why
            gevent.sleep(_POLL_S)


def judge_at_last(environment: Environment, backstage: Backstage) -> None:
    """The ledger has the last word, unless something worse was said before."""

    def judge(environment: Environment, **_: object) -> None:
        code = backstage.leave()
        if code and not environment.process_exit_code:
            environment.process_exit_code = code

    environment.events.quitting.add_listener(judge)
