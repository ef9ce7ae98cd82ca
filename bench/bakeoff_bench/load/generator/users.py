"""What Locust sees: one user that is the whole load, and one line of its statistics per saga."""

from __future__ import annotations

import collections
import time
from typing import Any, ClassVar

import gevent
from locust import User, constant, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import WORKER_REPORT_INTERVAL, WorkerRunner

from bakeoff_bench.load.generator.bridge import Bridge
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.generator.task import generate
from bakeoff_bench.load.histograms import Histograms, latencies_s
from bakeoff_bench.load.order import LoadOrder

DONE = "bakeoff-done"
_DRAIN_S = 0.05


class Told:
    """Hands samples from the client's thread to Locust's."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._waiting: collections.deque[Sample] = collections.deque()
        self.histograms = Histograms()
        self._unsent = Histograms()

    def put(self, sample: Sample) -> None:
        """From the client's thread."""
        self._waiting.append(sample)

    def drain(self) -> None:
        """From Locust's thread: into its statistics."""
        while self._waiting:
            sample = self._waiting.popleft()
            self.histograms.add(sample)
            self._unsent.add(sample)
            self._fire(sample)

    def unsent(self) -> dict[str, str]:
        """Histograms of what was not asked for yet, for the master."""
        encoded, self._unsent = self._unsent.encoded(), Histograms()
        return encoded

    def _fire(self, sample: Sample) -> None:
        found = dict(latencies_s(sample))
        for name, seconds in found.items():
            self._request(name, 1000 * seconds, None)
        if sample.settled_s is None:
            problem = "shed" if sample.shed else sample.error or "not settled in time"
            self._request(f"{sample.kind}-{sample.status}-settled", 0.0, RuntimeError(problem))

    def _request(self, name: str, milliseconds: float, problem: Exception | None) -> None:
        self._environment.events.request.fire(
            request_type="saga",
            name=name,
            response_time=milliseconds,
            response_length=0,
            exception=problem,
            context={},
            response=None,
            start_time=time.time(),
            url=None,
        )


class Load(User):
    """The load of one generator. More users would not make it larger: its order says how large it is."""

    wait_time = constant(0)
    #: Set by the locustfile before the first user comes.
    order: ClassVar[LoadOrder | None] = None
    share: ClassVar[tuple[int, int]] = (0, 1)
    bridge: ClassVar[Bridge | None] = None
    told: ClassVar[Told | None] = None

    @task
    def load(self) -> None:
        """All of it; then this generator has nothing more to do."""
        bridge, told = self.bridge, self.told
        if bridge is None or told is None:
            raise RuntimeError("events.init has not been handled: start this by its locustfile")
        while (order := self.order) is None:  # a worker gets it from its master
            gevent.sleep(_DRAIN_S)
        number, of = self.share
        draining = gevent.spawn(self._drain, told)
        try:
            bridge.wait(generate(order, told.put, number=number, of=of))
        except Exception as error:
            told.drain()
            self._leave(f"{type(error).__name__}: {error}")
            raise StopUser from error
        finally:
            draining.kill()
            told.drain()
        type(self).order = None
        self._leave("")
        raise StopUser

    @staticmethod
    def _drain(told: Told) -> None:
        while True:
            told.drain()
            gevent.sleep(_DRAIN_S)

    def _leave(self, problem: str) -> None:
        runner: Any = self.environment.runner
        if problem:
            self.environment.process_exit_code = 2
            print(f"bakeoff: {problem}", flush=True)
        if isinstance(runner, WorkerRunner):
            gevent.sleep(WORKER_REPORT_INTERVAL + 1)  # its last report goes before it
            runner.send_message(DONE, {"problem": problem})
        else:
            end_of_load(self.environment)


def end_of_load(environment: Environment) -> None:
    """Locust ends with its only load; with a web page it waits for the user to begin another one."""
    runner: Any = environment.runner
    gevent.spawn_later(0, runner.stop if environment.web_ui is not None else runner.quit)
