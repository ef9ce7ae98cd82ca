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

from bakeoff_bench.load.generator.backstage import Backstage, add_options, judge_at_last  # noqa: E402
from bakeoff_bench.load.generator.master import be_master  # noqa: E402
from bakeoff_bench.load.generator.users import (  # noqa: E402
    Generating,
    Load,
    end_of_load,
    generate_here,
    stop_before_quitting,
    tell_problem,
)
from bakeoff_bench.load.generator.wire import Share  # noqa: E402
from bakeoff_bench.load.generator.worker import be_worker  # noqa: E402
from bakeoff_bench.load.order import ORDER_VARIABLE, LoadOrder  # noqa: E402

__all__ = ["Load"]


def _options(parser: Any) -> None:
    if ORDER_VARIABLE not in os.environ:
        add_options(parser)


def _init(environment: Environment, **_: object) -> None:
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        be_worker(environment, runner)
    elif ORDER_VARIABLE in os.environ:
        _be_alone(environment).share = Share(order=LoadOrder.read(Path(os.environ[ORDER_VARIABLE])))
    else:
        backstage = Backstage(environment)
        # Listeners of the end are called in reverse: first the client lets go.
        judge_at_last(environment, backstage)
        if isinstance(runner, MasterRunner):
            be_master(environment, runner, backstage)
        else:
            _take_orders(environment, _be_alone(environment), backstage)


def _be_alone(environment: Environment) -> Generating:
    def over(problem: str) -> None:
        if problem:
            tell_problem(environment, problem)
        end_of_load(environment)

    return generate_here(environment, over)


def _take_orders(environment: Environment, here: Generating, backstage: Backstage) -> None:
    """Every test run is a load of its own."""

    def begin(**_: object) -> None:
        here.share = Share(order=backstage.next_load())

    def stopped(**_: object) -> None:
        here.stopped()
        backstage.over()

    environment.events.test_start.add_listener(begin)
    environment.events.test_stop.add_listener(stopped)
    stop_before_quitting(environment)


events.init_command_line_parser.add_listener(_options)
events.init.add_listener(_init)
