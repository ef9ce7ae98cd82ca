"""What a worker really runs with, found in what its own command line loads; prints one JSON object.

Run as ``python -m bakeoff_bench.overhead.effective COMMAND...`` with the worker's environment. The worker is
not started: its app, broker or ``Worker`` is made as the command would make it, and looked at.

    ... -m celery -A MODULE:APP worker OPTIONS    the app's whole configuration, and a step's task
    ... -m dramatiq MODULE:SETUP OPTIONS          the broker, its middleware, and a step's actor
    ... -m MODULE OPTIONS (Temporal)              the arguments of the SDK's ``Worker``
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

#: The step that stands for all.
STEP = "reserve_inventory"
_TASK = (
    *(
        "acks_late",
        "ignore_result",
        "max_retries",
        "reject_on_worker_lost",
        "retry_on_worker_lost",
        "Request",
    ),
    *("serializer", "soft_time_limit", "time_limit", "typing", "store_errors_even_if_ignored"),
)
#: Arguments of Temporal's ``Worker`` that name things, not settings.
_NAMES = ("client", "task_queue", "workflows", "activities")


def effective(command: Sequence[str]) -> dict[str, str]:
    """``{setting: value}`` of a worker's command line."""
    words = list(command)
    if words[0].endswith("/env"):
        words = words[1:]
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            os.environ[name] = value
    module, options = words[words.index("-m") + 1], words[words.index("-m") + 2 :]
    if module == "celery":
        return _celery(options)
    if module == "dramatiq":
        return _dramatiq(options)
    return _temporal(module, options)


def _celery(options: list[str]) -> dict[str, str]:
    from celery.app.utils import find_app

    app: Any = find_app(options[options.index("-A") + 1])
    conf = {f"conf.{name}": _shown(value) for name, value in app.conf.items()}
    task = next(task for name, task in app.tasks.items() if name in (STEP, f"order.{STEP}"))
    of_task = {f"task.{name}": _shown(getattr(task, name, None)) for name in _TASK}
    return {**conf, **of_task, "options": " ".join(options[options.index("worker") + 1 :])}


def _dramatiq(options: list[str]) -> dict[str, str]:
    import dramatiq

    module, _, setup = options[0].partition(":")
    getattr(importlib.import_module(module), setup)()
    broker: Any = dramatiq.get_broker()
    actor = next(actor for name, actor in broker.actors.items() if name in (STEP, f"order.{STEP}"))
    of_broker = ("confirm_delivery", "maintenance_chance", "heartbeat_timeout", "dead_message_ttl")
    limit = next(one for one in broker.middleware if type(one).__name__ == "TimeLimit")
    return {
        **{f"broker.{name}": _shown(getattr(broker, name)) for name in of_broker if hasattr(broker, name)},
        **{f"actor.{name}": _shown(value) for name, value in actor.options.items()},
        **{name: value for name, value in os.environ.items() if name.startswith("dramatiq_")},
        "broker": type(broker).__name__,
        "encoder": type(dramatiq.get_encoder()).__name__,
        "middleware": ", ".join(sorted(type(one).__name__ for one in broker.middleware)),
        "time_limit_interval": _shown(limit.manager.interval * 1000),
        "options": " ".join(options[1:]),
    }


class _Seen(BaseException):
    """The worker would begin now; ``args[0]`` is how."""


def _temporal(module: str, options: list[str]) -> dict[str, str]:
    import temporalio.worker

    class Recorder:
        def __init__(self, client: object, **arguments: Any) -> None:
            raise _Seen(arguments)

    temporalio.worker.Worker = Recorder  # type: ignore[assignment,misc]
    sys.argv = [module, *options]
    try:
        runpy.run_module(module, run_name="__main__")
    except _Seen as seen:
        arguments: dict[str, Any] = seen.args[0]
        return {f"worker.{name}": _shown(value) for name, value in arguments.items() if name not in _NAMES}
    raise SystemExit(f"{module} made no Worker")


def _shown(value: object) -> str:
    if isinstance(value, ThreadPoolExecutor):
        return f"{value._max_workers} threads"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, type):
        return value.__name__
    simple = value is None or isinstance(value, str | int | dict)
    return str(value) if simple or type(value).__module__ == "datetime" else type(value).__name__


if __name__ == "__main__":
    found = effective(sys.argv[1:])
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # threads of SDKs may not end by themselves
