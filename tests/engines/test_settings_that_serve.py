"""Per engine: every setting says which capability or guarantee it is there for, and the engine agrees."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bakeoff.cli.main import run
from bakeoff.engine import Capability, EngineInfo, Means, Support, Survives
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, Setting, Value, resolve

ENGINES = ["celery", "celery-sagalog", "choreography", "dramatiq", "inline", "temporal"]
BROKERS = ("valkey", "rabbitmq")


def _declared(engine: str) -> list[Setting]:
    return list(Plugins().engine(engine).info().settings)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_setting_serves_is_a_capability_a_guarantee_or_a_means(engine: str) -> None:
    for setting in _declared(engine):
        assert all(isinstance(one, Capability | Survives | Means) for one in setting.serves), setting.name
        assert len(set(setting.serves)) == len(setting.serves), setting.name
        assert not (setting.serves and setting.tuning), setting.name


@pytest.mark.parametrize("engine", ENGINES)
def test_every_setting_that_is_not_recommended_as_it_is_shipped_is_explained(engine: str) -> None:
    unexplained = [
        setting.name
        for setting in _declared(engine)
        if setting.default != setting.recommended and not (setting.serves or setting.tuning)
    ]

    assert unexplained == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_promise_that_goes_with_a_setting_is_one_that_it_serves(engine: str) -> None:
    """Whatever the engine no longer declares with one setting as it is shipped, or at its other choice."""
    missing = {
        (setting.name, str(promise))
        for setting in _declared(engine)
        for broker in _brokers(engine)
        for value in _others(setting)
        for promise in _promises(engine, broker) - _promises(engine, broker, (setting.name, value))
        if promise not in setting.serves
    }

    # What makes steps faster takes a promise away; its engine's page says why.
    assert missing == ({("local_activities", "cancel")} if engine == "temporal" else set())


def _others(setting: Setting) -> Iterator[Value]:
    if setting.name in ("broker", "server", "log"):
        return  # which one is asked for, not whether
    yield from {setting.default, *setting.choices, *setting.tries} - {setting.recommended}


def _brokers(engine: str) -> tuple[str, ...]:
    return BROKERS if any(setting.name == "broker" for setting in _declared(engine)) else ("",)


def _promises(
    engine: str, broker: str, changed: tuple[str, Value] | None = None
) -> set[Capability | Survives]:
    overrides = {"broker": broker} if broker else {}
    declared = _declared(engine)
    settings = resolve(engine, declared, ConfigClass.RECOMMENDED, overrides)
    if changed is not None and settings.applies(changed[0]):
        settings = resolve(
            engine, declared, ConfigClass.RECOMMENDED, {**overrides, changed[0]: str(changed[1])}
        )
    info: EngineInfo = Plugins().engine(engine).info(settings)
    kept = {one for one, claim in info.claims.items() if claim.support is not Support.ABSENT}
    return {*kept, *info.survives}


def test_the_listing_says_what_a_setting_is_there_for(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["engines", "--engine", "celery"]) == 0
    words = " ".join(capfd.readouterr().out.split())
    assert run(["engines", "--engine", "celery", "--json"]) == 0
    (listed,) = json.loads(capfd.readouterr().out)["engines"]
    serves = {one["name"]: (one["serves"], one["tuning"]) for one in listed["settings"]}

    assert "serves broker_restart, broker_kill" in words
    assert "tuning" in words
    assert serves["visibility_timeout"] == (["step_kill", "worker_kill"], False)
    assert serves["worker_processes"] == ([], True)
    assert serves["broker_url"] == ([], False)
