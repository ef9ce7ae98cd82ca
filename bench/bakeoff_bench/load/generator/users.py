"""What Locust sees: one user that is the whole load, and one line of its statistics per saga."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import gevent
from locust import User, constant, task
from locust.env import Environment
from locust.exception import StopUser

from bakeoff_bench.load.generator.bridge import Bridge
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.generator.task import generate
from bakeoff_bench.load.generator.wire import Share
from bakeoff_bench.load.histograms import latencies_s

_DRAIN_S = 0.05
_LET_GO_S = 15.0


class Told:
    """Hands samples from the client's thread to Locust's.

    Attributes:
        stopping: Whether users are being stopped: a saga that has not settled by then is nobody's failure.
    """

    def __init__(self, environment: Environment) -> None:
        self.stopping = False
        self._environment = environment
        self._waiting: collections.deque[Sample] = collections.deque()

    def put(self, sample: Sample) -> None:
        """From the client's thread."""
        self._waiting.append(sample)

    def drain(self) -> None:
        """From Locust's thread: into its statistics."""
        while self._waiting:
            self._fire(self._waiting.popleft())

    def _fire(self, sample: Sample) -> None:
        found = dict(latencies_s(sample))
        for name, seconds in found.items():
            self._request(name, 1000 * seconds, None)
        cut_off = self.stopping and not sample.shed and not sample.error
        if sample.settled_s is None and not cut_off:
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


@dataclass(slots=True, kw_only=True)
class Generating:
    """What this process makes loads with.

    Attributes:
        bridge: To the client's thread.
        told: Where samples go.
        over: Is told that a load has come to its end, with the problem if it failed; not that it was stopped.
        share: The next one; whoever takes it takes it away, for a second user must not do it once more.
        on: Whether a load goes on, or lets go of what it has.
    """

    bridge: Bridge
    told: Told
    over: Callable[[str], None]
    share: Share | None = None
    on: bool = False

    def take(self) -> Share | None:
        """The next share, once."""
        share, self.share = self.share, None
        return share

    def stopped(self) -> None:
        """Begin nothing more, and wait until a user that was killed has written everything down.

        Locust waits for it as well, but not if it is told twice to stop.
        """
        self.share = None
        deadline_s = time.monotonic() + _LET_GO_S
        while self.on and time.monotonic() < deadline_s:
            gevent.sleep(_DRAIN_S)


class Load(User):
    """The load of one generator. More users would not make it larger: its order says how large it is."""

    wait_time = constant(0)
    #: Set by the locustfile before the first user comes.
    generating: ClassVar[Generating | None] = None

    @task
    def load(self) -> None:
        """All of it; then this generator has nothing more to do."""
        here = self.generating
        if here is None:
            raise RuntimeError("events.init has not been handled: start this by its locustfile")
        while (share := here.take()) is None:  # a worker gets it from its master
            gevent.sleep(_DRAIN_S)
        draining = gevent.spawn(_drain, here.told)
        here.on, problem = True, ""
        try:
            here.bridge.wait(generate(share.order, here.told.put, number=share.number, of=share.of))
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        finally:  # also when Locust stops its users
            draining.kill()
            here.told.drain()
            here.on = False
        here.over(problem)
        raise StopUser


def _drain(told: Told) -> None:
    while True:
        told.drain()
        gevent.sleep(_DRAIN_S)


def generate_here(environment: Environment, over: Callable[[str], None]) -> Generating:
    """Make loads in this process; the client's thread ends with Locust."""
    Load.generating = here = Generating(bridge=Bridge(), told=Told(environment), over=over)
    environment.events.test_start.add_listener(lambda **_: setattr(here.told, "stopping", False))
    environment.events.test_stopping.add_listener(lambda **_: setattr(here.told, "stopping", True))
    environment.events.quitting.add_listener(lambda **_: here.bridge.close())
    return here


def tell_problem(environment: Environment, problem: str) -> None:
    """A generator failed: say so, and end with 2."""
    environment.process_exit_code = 2
    print(f"bakeoff: {problem}", flush=True)


def end_of_load(environment: Environment) -> None:
    """Locust ends with its only load; with a web page it waits for the user to begin another one."""
    runner: Any = environment.runner
    gevent.spawn_later(0, runner.stop if environment.web_ui is not None else runner.quit)


def stop_before_quitting(environment: Environment) -> None:
    """Ctrl-C in the middle of a load: users are stopped while there is still a client to let go in order.

    Listeners of the end are called in reverse, so call this after everything that needs stopped users.
    """

    def stop(environment: Environment, **_: object) -> None:
        runner: Any = environment.runner
        environment.stop_timeout = 0.0  # the load would only go on meanwhile
        runner.stop()

    environment.events.quitting.add_listener(stop)
