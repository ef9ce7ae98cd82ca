"""Per engine: the values that a search tries can be set, and the engine starts from one of them."""

from __future__ import annotations

import pytest

from bakeoff.cli.main import run
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, Setting, Value, resolve

#: ``{engine: {setting: values}}``.
TRIES: dict[str, dict[str, tuple[Value, ...]]] = {
    "celery": {
        "broker": ("valkey", "rabbitmq"),
        "pool": ("prefork", "threads"),
        "worker_prefetch_multiplier": (1, 2, 4, 8),
        "worker_processes": (1, 2, 4),
    },
    "celery-sagalog": {
        "broker": ("valkey", "rabbitmq"),
        "worker_prefetch_multiplier": (1, 2, 4, 8),
        "worker_processes": (1, 2, 4),
    },
    "choreography": {},
    "dramatiq": {
        "broker": ("valkey", "rabbitmq"),
        "processes": (1, 2, 4),
        "queue_prefetch": (0, 1, 8, 32),
    },
    "inline": {},
    "temporal": {
        "activity_pollers": (0, 2, 5, 10),
        "eager_activities": (False, True),
        "local_activities": (False, True),
        "sandbox": (False, True),
        "worker_processes": (1, 2, 4),
        "workflow_pollers": (0, 2, 5, 10),
    },
}


def _declared(engine: str) -> list[Setting]:
    return list(Plugins().engine(engine).info().settings)


@pytest.mark.parametrize("engine", TRIES)
def test_what_a_search_tries(engine: str) -> None:
    assert {s.name: s.tries for s in _declared(engine) if s.tries} == TRIES[engine]


@pytest.mark.parametrize("engine", TRIES)
def test_every_value_that_is_tried_can_be_set(engine: str) -> None:
    """Of the setting's own type, once each, and with what every class says among them."""
    declared = _declared(engine)
    for setting in (one for one in declared if one.tries):
        others = {name: str(value).lower() for name, value in setting.only.items() if value is not False}
        for value in setting.tries:
            overrides = {**others, setting.name: str(value)}
            assert resolve(engine, declared, ConfigClass.CI, overrides)[setting.name] == value
        assert len(set(setting.tries)) == len(setting.tries)
        for config_class in ConfigClass:
            assert setting.of(config_class) in setting.tries, setting.name


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("run -e celery --set celery.worker_processes=3", "celery.worker_processes=3 does not divide the 4"),
        ("run -e dramatiq --set dramatiq.processes=3", "dramatiq.processes=3 does not divide the 4 slots"),
        ("up -e temporal --slots 5 --set temporal.worker_processes=2", "give --slots a multiple of 2"),
        ("load -e celery --broker valkey --set celery.worker_processes=3", "one of 1, 2, 4"),
        ("bench speed -e dramatiq --set dramatiq.processes=3", "dramatiq.processes=3 does not divide"),
        ("bench overhead -e dramatiq --set dramatiq.processes=3", "dramatiq.processes=3 does not divide"),
    ],
)
def test_processes_that_cannot_share_the_slots_are_a_users_mistake(
    command: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is started."""
    assert run(command.split()) == 2
    assert told in " ".join(capfd.readouterr().err.split())
