"""Class ``default`` of Celery and Temporal equals the installed packages (Dramatiq: its own declarations)."""

from __future__ import annotations

import inspect
from typing import Any

from celery import Celery
from kombu.transport.redis import Channel
from temporalio.worker import Worker

from bakeoff_celery.settings import SETTINGS as CELERY
from bakeoff_temporal.settings import SETTINGS as TEMPORAL
from bakeoff_temporal.worker import pollers


def test_celery() -> None:
    """Values of Celery's configuration and of Kombu's channel, so an upgrade that changes one is noticed."""
    shipped = {setting.name: setting.default for setting in CELERY}
    app = Celery(set_as_current=False)

    for name in ("task_acks_late", "worker_prefetch_multiplier"):
        assert shipped[name] == app.conf[name], name
    assert shipped["task_reject_on_worker_lost"] == bool(app.conf.task_reject_on_worker_lost)
    assert shipped["pool"] == app.conf.worker_pool
    assert shipped["publish_max_retries"] == app.conf.task_publish_retry_policy["max_retries"]
    assert shipped["result_expires"] == app.conf.result_expires.total_seconds()
    leases = ("unacked_mutex_expire", "unacked_restore_interval", "unacked_restore_throttle")
    for name in ("visibility_timeout", *leases):
        assert shipped[name] == getattr(Channel, name), name


def test_temporal() -> None:
    """What the worker of the SDK does unless told otherwise; it has no interceptors then."""
    shipped: dict[str, Any] = {setting.name: setting.default for setting in TEMPORAL}
    options = {name: one.default for name, one in inspect.signature(Worker.__init__).parameters.items()}

    assert shipped["sticky_timeout_s"] == options["sticky_queue_schedule_to_start_timeout"].total_seconds()
    assert shipped["graceful_shutdown_s"] == options["graceful_shutdown_timeout"].total_seconds()
    assert shipped["sandbox"] == (type(options["workflow_runner"]).__name__ == "SandboxedWorkflowRunner")
    for name in ("workflow", "activity"):
        assert pollers(shipped[f"{name}_pollers"]) == options[f"{name}_task_poller_behavior"]
    assert options["disable_eager_activity_execution"] is False  # the server is the one that refuses
    assert shipped["release_overrun_slots"] == bool(options["interceptors"])
