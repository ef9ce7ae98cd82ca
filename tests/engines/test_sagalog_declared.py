"""What ``celery-sagalog`` says of itself is so, for every setting."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from celery import Celery

from bakeoff.contract import sagas
from bakeoff.engine import Capability, EngineInfo, Support, Survives
from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, SettingsInForce, resolve
from bakeoff_celery.sagalog.settings import celery_configuration
from bakeoff_celery.sagalog.timing import Timing
from bakeoff_celery.sagalog.windows import END_LOGGED, FAILURE_LOGGED, windows_of

ENGINE = Plugins().engine("celery-sagalog")


def _settings(
    overrides: Mapping[str, str] | None = None, config: ConfigClass = ConfigClass.RECOMMENDED
) -> SettingsInForce:
    return resolve(ENGINE.name, ENGINE.info().settings, config, overrides)


def _info(overrides: Mapping[str, str] | None = None) -> EngineInfo:
    return ENGINE.info(_settings(overrides))


@pytest.mark.parametrize("overrides", [{}, {"broker": "rabbitmq"}, {"log": "postgres"}])
def test_neither_broker_nor_database_changes_what_is_promised(overrides: dict[str, str]) -> None:
    info = _info(overrides)

    assert info.survives == set(Survives) - {Survives.POWER_LOSS}
    # Beat is Celery's own.
    others = {
        name: claim.support for name, claim in info.claims.items() if claim.support is not Support.PATTERN
    }
    assert others == {Capability.SCHEDULES: Support.NATIVE, Capability.CATCH_UP: Support.ABSENT}


def test_what_is_celerys_own_is_as_shipped_in_class_default() -> None:
    app = Celery(set_as_current=False)
    ours = celery_configuration(_settings(config=ConfigClass.DEFAULT), "")

    assert ours["worker_prefetch_multiplier"] == app.conf.worker_prefetch_multiplier
    assert (
        ours["task_publish_retry_policy"]["max_retries"] == app.conf.task_publish_retry_policy["max_retries"]
    )
    assert not {"task_acks_late", "task_reject_on_worker_lost", "result_backend"} & set(ours)


def test_a_silent_worker_keeps_its_attempt_for_a_lease_and_a_sweep() -> None:
    assert _info({"step_lease": "3", "sweep_period": "0.5"}).lease_s == 3.5


def test_a_message_that_is_not_taken_is_published_less_and_less_often() -> None:
    timing = Timing.of(_settings({"message_lease": "10"}))

    assert [timing.look_again_at(None, rings, 100.0) for rings in (0, 1, 2, 9)] == [110, 120, 140, 740]
    assert timing.look_again_at(500.0, 0, 100.0) == 510


@pytest.mark.parametrize(
    ("overrides", "roles"),
    [
        ({}, ["broker"]),
        ({"broker": "rabbitmq"}, ["broker"]),
        ({"broker": "rabbitmq", "log": "postgres"}, ["broker", "log"]),
    ],
)
def test_it_needs_no_result_backend(overrides: dict[str, str], roles: list[str]) -> None:
    assert [server.role for server in ENGINE.servers(_settings(overrides))] == roles


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"broker_url": "amqp://hunter2@host"}, r"broker_url must be a URL that begins with redis://"),
        ({"broker_url": "redis://host/0?password=hunter2"}, r"before the host"),
        ({"log": "postgres", "log_url": "mysql://hunter2@host/x"}, r"log_url must be .* postgresql://"),
    ],
)
def test_an_address_that_does_not_fit_is_refused_without_showing_it(
    overrides: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        ENGINE.servers(_settings(overrides))
    assert "hunter2" not in str(caught.value)


def test_every_step_has_the_window_of_the_log() -> None:
    aims = [window.aim for window in windows_of(sagas.PIVOT)]

    assert [(aim.step, aim.point) for aim in aims if aim.direction == "action"] == [
        ("book_flight", END_LOGGED),
        ("book_flight", FAILURE_LOGGED),
        ("book_hotel", END_LOGGED),
        ("book_hotel", FAILURE_LOGGED),
        ("pay", END_LOGGED),
        ("pay", FAILURE_LOGGED),
        ("issue_ticket", END_LOGGED),
    ]
    assert [aim.step for aim in aims if aim.direction == "compensation"] == [
        "pay",
        "book_hotel",
        "book_flight",
    ]
