"""A Locust master: shares each load out among its workers, and collects what they send."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
from gevent import monkey
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner

from bakeoff_bench.load.generator.backstage import Backstage
from bakeoff_bench.load.generator.delivery import Received
from bakeoff_bench.load.generator.users import end_of_load, stop_before_quitting, tell_problem
from bakeoff_bench.load.generator.wire import BEGAN, DONE, ORDER, PART, to_send
from bakeoff_bench.load.order import LoadOrder

#: Seconds between two looks at who is still there.
_LOOK_S = 0.5
#: Seconds until a worker is given up that Locust calls missing: for four there was no sign of life then.
_MISSING_S = 10.0
#: Seconds that workers get for their last words when a load is stopped.
_LAST_WORDS_S = 30.0


def be_master(environment: Environment, runner: MasterRunner, backstage: Backstage) -> None:
    """Every test run is a load of its own."""
    # Locust sleeps while it waits for workers, and hears them only if that lets its greenlets go on. There is
    # no client in the master, so nothing here needs the real sleep.
    monkey.patch_time()
    options: Any = environment.parsed_options
    # One user per worker, which is its share of the load.
    options.num_users = max(options.num_users or 1, options.expect_workers)
    options.spawn_rate = max(options.spawn_rate or 1.0, float(options.num_users))
    master = _Master(environment, runner, backstage)
    environment.events.test_start.add_listener(master.hand_out)
    environment.events.test_stop.add_listener(master.stopped)
    for kind, listener in ((BEGAN, master.began), (PART, master.take), (DONE, master.done)):
        runner.register_message(kind, listener)
    stop_before_quitting(environment)


@dataclass(slots=True, kw_only=True)
class _Generator:
    """A worker's part in the load that is on."""

    number: int
    received: Received
    seen_s: float = field(default_factory=time.monotonic)
    done: bool = False
    lost: bool = False

    @property
    def over(self) -> bool:
        return self.done or self.lost


class _Master:
    def __init__(self, environment: Environment, runner: MasterRunner, backstage: Backstage) -> None:
        self._environment = environment
        self._runner = runner
        self._backstage = backstage
        self._label = ""  # of the load that is on
        self._ending = False
        self._generators: dict[str, _Generator] = {}

    def hand_out(self, **_: object) -> None:
        """Each worker that gets a user is sent its share, and the deployment with it."""
        order = self._backstage.next_load()
        ids = self._with_users()
        if order.users:
            ids = ids[: order.users]  # a closed loop of two cannot be shared out among three
        folder = Path(order.folder)
        self._label, self._ending = order.label, False
        self._generators = {
            id_: _Generator(number=number, received=Received(folder / f"generator-{number}"))
            for number, id_ in enumerate(ids)
        }
        for id_, one in self._generators.items():
            self._runner.send_message(ORDER, to_send(order, one.number, len(ids)), client_id=id_)
        gevent.spawn(self._watch, order)

    def began(self, environment: Environment, msg: Any, **_: object) -> None:
        """A worker's first saga is due, or was."""
        if (one := self._of(msg)) is not None:
            one.received.begin(time.monotonic() - msg.data["ago_s"])

    def take(self, environment: Environment, msg: Any, **_: object) -> None:
        """A part of what a worker's generator wrote."""
        if (one := self._of(msg)) is not None:
            one.received.take(msg.data)

    def done(self, environment: Environment, msg: Any, **_: object) -> None:
        """A worker has nothing more to do or to send."""
        one = self._of(msg)
        if one is None or one.done:
            return
        one.done = True
        missing = one.received.end(msg.data["effort"], msg.data["sizes"])
        for problem in filter(None, (msg.data["problem"], missing)):
            self._tell(one, problem)
        self._end_if_over()

    def stopped(self, **_: object) -> None:
        """Locust has stopped the users: at the end of a load, because somebody asked, or nobody is left."""
        if not self._label:
            return
        deadline_s = time.monotonic() + _LAST_WORDS_S
        while self._present() and time.monotonic() < deadline_s:
            gevent.sleep(_LOOK_S)
        for one in self._generators.values():
            if not one.over:
                self._lose(one)
        self._backstage.over()
        if any(one.lost for one in self._generators.values()):
            self._end()  # Locust itself would wait for workers for ever
        self._label = ""

    def _with_users(self) -> list[str]:
        """The workers that Locust will give a user, by its own rule."""
        count = self._runner.target_user_count
        workers = sorted(self._runner.clients.ready, key=lambda worker: worker.id)
        dispatcher = UsersDispatcher(worker_nodes=workers, user_classes=self._runner.user_classes)
        dispatcher.new_dispatch(target_user_count=count, spawn_rate=max(1, count))
        users = next(dispatcher)
        return [worker.id for worker in workers if sum(users[worker.id].values())]

    def _of(self, msg: Any) -> _Generator | None:
        """Whose message it is; ``None`` for one of an earlier load, or of a stranger."""
        one = self._generators.get(msg.node_id)
        if one is None or msg.data["load"] != self._label:
            return None
        one.seen_s = time.monotonic()
        return one

    def _watch(self, order: LoadOrder) -> None:
        """Notice who leaves without a word, as long as the load is on."""
        while self._label == order.label:
            now_s = time.monotonic()
            for id_, one in self._generators.items():
                node = self._runner.clients.get(id_)
                if node is not None and node.state != STATE_MISSING:
                    one.seen_s = now_s
                elif not one.over and (node is None or now_s - one.seen_s > _MISSING_S):
                    self._lose(one)
            self._end_if_over()
            gevent.sleep(_LOOK_S)

    def _present(self) -> bool:
        """Whether somebody who is still there has something to say."""
        nodes = self._runner.clients
        return any(
            not one.over and id_ in nodes and nodes[id_].state != STATE_MISSING
            for id_, one in self._generators.items()
        )

    def _lose(self, one: _Generator) -> None:
        one.lost = True
        self._tell(one, "it left without a word; what it had sent is kept")

    def _tell(self, one: _Generator, problem: str) -> None:
        tell_problem(self._environment, f"generator {one.number}: {problem}")

    def _end_if_over(self) -> None:
        if self._label and all(one.over for one in self._generators.values()):
            self._end()

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            end_of_load(self._environment)
