"""A Locust worker: takes its share of a load from the master, and sends what its generator writes."""

from __future__ import annotations

import atexit
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment
from locust.exception import RPCError
from locust.runners import WORKER_REPORT_INTERVAL, WorkerRunner

from bakeoff_bench.load.generator.delivery import Sending
from bakeoff_bench.load.generator.users import generate_here, stop_before_quitting, tell_problem
from bakeoff_bench.load.generator.wire import BEGAN, DONE, ORDER, PART, received

#: Seconds between two looks at what the generator has written.
_SEND_S = 0.5


def be_worker(environment: Environment, runner: WorkerRunner) -> None:
    """Take loads from the master until it ends."""
    worker = _Worker(environment, runner)
    runner.register_message(ORDER, worker.take)
    environment.events.test_stop.add_listener(worker.stopped)
    stop_before_quitting(environment)


class _Worker:
    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._here = generate_here(environment, self._over)
        self._folders = ExitStack()
        atexit.register(self._folders.close)
        self._label = ""
        self._sending: Sending | None = None
        self._sender: gevent.Greenlet | None = None
        self._began = False
        self._problem = ""

    def take(self, environment: Environment, msg: Any, **_: object) -> None:
        """An order came; a user that waits for it begins at once."""
        share = received(msg.data, self._folders)
        self._label, self._began, self._problem = share.order.label, False, ""
        self._sending = Sending(Path(share.order.folder), lambda part: self._send(PART, part))
        self._sender = gevent.spawn(self._keep_sending, self._sending)
        self._here.share = share

    def stopped(self, **_: object) -> None:
        """Locust has stopped its users, at the end of a load or before it."""
        self._here.stopped()
        self._finish()

    def _over(self, problem: str) -> None:
        if problem:
            self._problem = problem
            tell_problem(self._environment, problem)
        gevent.sleep(WORKER_REPORT_INTERVAL + 1)  # the last report of Locust's own statistics goes before it
        self._finish()

    def _finish(self) -> None:
        """Send the rest, and that this was all; once."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        if self._sender is not None:
            self._sender.kill()
        try:
            self._send_new(sending)
        except RPCError as error:
            self._problem = self._problem or f"samples cannot be sent: {error}"
        about = {"problem": self._problem, "effort": sending.effort(), "sizes": sending.sizes()}
        self._folders.close()  # the master may be gone as soon as it knows that this was all
        self._send(DONE, about)

    def _keep_sending(self, sending: Sending) -> None:
        while True:
            gevent.sleep(_SEND_S)
            try:
                self._send_new(sending)
            except RPCError as error:  # Locust connects again; the same part is sent then
                print(f"bakeoff: samples cannot be sent now: {error}", flush=True)

    def _send_new(self, sending: Sending) -> None:
        if not self._began and (began_s := sending.began_s()) is not None:
            # The two clocks need not agree: the master is told how long ago it was.
            self._send(BEGAN, {"ago_s": time.monotonic() - began_s})
            self._began = True
        sending.send_new()

    def _send(self, kind: str, data: dict[str, Any]) -> None:
        self._runner.send_message(kind, {"load": self._label, **data})
