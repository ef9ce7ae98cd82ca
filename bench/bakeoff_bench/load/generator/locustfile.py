"""The locustfile: how Locust is told what to do, alone or as a master with workers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from gevent import monkey

_UNPATCHED = "LOCUST_SKIP_MONKEY_PATCH"


def _begin_again_unpatched() -> None:
    """Locust patches the standard library before it reads this file, and clients need real threads.

    It forks its processes only afterwards, so there is exactly one process to replace.
    """
    if os.environ.get(_UNPATCHED):
        return
    os.environ[_UNPATCHED] = "1"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "locust", *sys.argv[1:]])


if Path(sys.argv[0]).stem in ("locust", "__main__"):
    _begin_again_unpatched()
    if any(argument.startswith("--processes") for argument in sys.argv):
        # gevent reaps the processes that Locust forks, so Locust must ask gevent about them.
        monkey.patch_os()

from locust import events  # noqa: E402
from locust.env import Environment  # noqa: E402
from locust.runners import MasterRunner, WorkerRunner  # noqa: E402

from bakeoff_bench.load.generator.backstage import Backstage, add_options  # noqa: E402
from bakeoff_bench.load.generator.bridge import Bridge  # noqa: E402
from bakeoff_bench.load.generator.users import DONE, Load, Told, end_of_load  # noqa: E402
from bakeoff_bench.load.generator.wire import received, to_send  # noqa: E402
from bakeoff_bench.load.histograms import Histograms  # noqa: E402
from bakeoff_bench.load.order import ORDER_VARIABLE, LoadOrder  # noqa: E402

__all__ = ["Load"]

_ORDER = "bakeoff-order"


def _options(parser: Any) -> None:
    if ORDER_VARIABLE not in os.environ:
        add_options(parser)


def _init(environment: Environment, **_: object) -> None:
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        _be_worker(environment, runner)
    elif ORDER_VARIABLE in os.environ:
        Load.order = LoadOrder.read(Path(os.environ[ORDER_VARIABLE]))
        _generate_here(environment)
    else:
        _lead(environment, Backstage(environment))


def _lead(environment: Environment, backstage: Backstage) -> None:
    """Alone or as the master: every test run is a load of its own, and the ledger has the last word."""
    master = environment.runner if isinstance(environment.runner, MasterRunner) else None

    def judge(environment: Environment, **_: object) -> None:
        code = backstage.leave()
        if code and not environment.process_exit_code:
            environment.process_exit_code = code

    # Listeners of the end are called in reverse: first the client lets go.
    environment.events.quitting.add_listener(judge)
    if master is None:
        _generate_here(environment)
        environment.events.test_start.add_listener(lambda **_: setattr(Load, "order", backstage.next_load()))
    else:
        _be_master(environment, master, backstage)


def _generate_here(environment: Environment) -> Told:
    bridge, told = Bridge(), Told(environment)
    Load.bridge, Load.told = bridge, told
    environment.events.quitting.add_listener(lambda **_: bridge.close())
    environment.events.test_stop.add_listener(lambda **_: setattr(Load, "order", None))
    return told


def _be_worker(environment: Environment, runner: WorkerRunner) -> None:
    told = _generate_here(environment)

    def take(environment: Environment, msg: Any, **_: object) -> None:
        Load.share = (msg.data["number"], msg.data["of"])
        Load.order = received(msg.data)

    def report(client_id: str, data: dict[str, Any], **_: object) -> None:
        data["bakeoff"] = told.unsent()

    runner.register_message(_ORDER, take)
    environment.events.report_to_master.add_listener(report)


def _be_master(environment: Environment, runner: MasterRunner, backstage: Backstage) -> None:
    # Locust sleeps while it waits for workers, and hears them only if that lets its greenlets go on. There is
    # no client in the master, so nothing here needs the real sleep.
    monkey.patch_time()
    options: Any = environment.parsed_options
    # One user per worker, which is its share of the load.
    options.num_users = max(options.num_users or 1, options.expect_workers)
    options.spawn_rate = max(options.spawn_rate or 1.0, float(options.num_users))
    histograms, done = Histograms(), set[str]()

    def hand_out(environment: Environment, **_: object) -> None:
        done.clear()
        order = backstage.next_load()
        workers = sorted(runner.clients.ready, key=lambda worker: worker.id)
        for number, worker in enumerate(workers):
            runner.send_message(_ORDER, to_send(order, number, len(workers)), client_id=worker.id)

    def one_is_done(environment: Environment, msg: Any, **_: object) -> None:
        done.add(msg.node_id)
        if msg.data["problem"]:
            print(f"bakeoff: worker {msg.node_id}: {msg.data['problem']}", flush=True)
            environment.process_exit_code = 2
        if len(done) >= runner.worker_count:
            end_of_load(environment)

    def merge(client_id: str, data: dict[str, Any], **_: object) -> None:
        histograms.merge(data.get("bakeoff", {}))

    def tell(environment: Environment, **_: object) -> None:
        for name in histograms:
            p50, p95 = histograms.percentile_s(name, 0.5), histograms.percentile_s(name, 0.95)
            print(f"{name}: {histograms.count(name)} of all workers, p50 {p50:.3f} s, p95 {p95:.3f} s")

    runner.register_message(DONE, one_is_done)
    environment.events.test_start.add_listener(hand_out)
    environment.events.worker_report.add_listener(merge)
    environment.events.quitting.add_listener(tell)


events.init_command_line_parser.add_listener(_options)
events.init.add_listener(_init)
