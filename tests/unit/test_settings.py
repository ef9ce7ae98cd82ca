"""Declared settings, their classes, and what ``--set`` may change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.deployment import Deployment
from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.settings import ConfigClass, Setting, SettingsInForce, condition, resolve

DECLARED = (
    Setting(name="visibility_timeout", help="seconds", default=3600, recommended=60, ci=5),
    Setting(name="acks_late", help="ack after the task", default=False, recommended=True, ci=True),
    Setting(name="broker", help="kind", default="v", recommended="v", ci="v", choices=("v", "rabbitmq")),
    Setting(
        name="broker_url", help="own", default=None, recommended=None, ci=None, env="BROKER", secret=True
    ),
)


def test_values_come_from_the_class_then_environment_then_set() -> None:
    """The strongest source wins and is recorded as a change."""
    in_force = resolve(
        "celery",
        DECLARED,
        ConfigClass.RECOMMENDED,
        {"visibility_timeout": "30"},
        {"worker_hijack": "true"},
        {"BROKER": "redis://me:secret@host"},
    )

    assert in_force["visibility_timeout"] == 30
    assert in_force["acks_late"] is True
    assert in_force["broker_url"] == "redis://me:secret@host"
    assert in_force.changed == ("broker_url", "visibility_timeout")
    assert in_force.raw == {"worker_hijack": True}
    assert "secret" not in json.dumps(in_force.shown())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("visibility_timeuot", "30", "did you mean celery.visibility_timeout?"),
        ("visibility_timeout", "soon", "'soon' is not a whole number"),
        ("visibility_timeout", "-1", "-1 is negative"),
        ("acks_late", "maybe", "'maybe' is not true or false"),
        ("broker", "kafka", "allowed values are v, rabbitmq"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_way_out(name: str, text: str, message: str) -> None:
    """The message names the value and what would be right."""
    with pytest.raises(UsageError, match="celery") as caught:
        resolve("celery", DECLARED, ConfigClass.CI, {name: text})

    assert message in str(caught.value)


def test_an_unknown_setting_lists_the_known_ones() -> None:
    """All declared names are in the message."""
    with pytest.raises(UnknownNameError) as caught:
        resolve("celery", DECLARED, ConfigClass.CI, {"x": "1"})

    assert all(f"celery.{setting.name}" in str(caught.value) for setting in DECLARED)


def test_a_deployment_survives_its_file(tmp_path: Path) -> None:
    """Saved, loaded, equal; and nobody else may read it."""
    deployment = Deployment(
        engine="celery",
        settings=resolve("celery", DECLARED, ConfigClass.CI),
        addresses={"broker": "redis://127.0.0.1:1/0"},
        world_url="sqlite:///x.db",
        prefix="bakeoff-",
        sagas=("bakeoff.orders", "mine:SAGA"),
        external=("broker",),
    )
    path = tmp_path / "deployment.json"
    deployment.save(path)

    assert Deployment.load(path) == deployment
    assert path.stat().st_mode & 0o077 == 0
    assert deployment.native_id("order-1") == "bakeoff-order-1"


@pytest.mark.parametrize("text", ["", "{}", '{"engine": 1}', "[]"])
def test_a_file_that_is_no_deployment_is_named(tmp_path: Path, text: str) -> None:
    """A user's mistake, not a traceback."""
    path = tmp_path / "deployment.json"
    path.write_text(text)

    with pytest.raises(UsageError, match="not a deployment file"):
        Deployment.load(path)


def test_settings_in_force_survive_json() -> None:
    """``to_json`` and ``from_json`` are each other's reverse."""
    in_force = resolve("celery", DECLARED, ConfigClass.CI, {"broker": "rabbitmq"})

    assert SettingsInForce.from_json(json.loads(json.dumps(in_force.to_json()))) == in_force


CONDITIONAL = (
    Setting(name="broker", help="kind", default="v", recommended="v", ci="v", choices=("v", "rabbitmq")),
    Setting(name="address", help="own", default=None, recommended=None, ci=None, env="ADDRESS"),
    Setting(name="lease", help="seconds", default=9, recommended=6, ci=3, only={"broker": "v"}, env="LEASE"),
    Setting(
        name="fsync",
        help="of ours",
        default=False,
        recommended=True,
        ci=True,
        only={"address": False, "broker": "v"},
    ),
    Setting(name="key", help="of yours", default="", recommended="", ci="", only={"address": True}),
)


@pytest.mark.parametrize(
    ("overrides", "shown"),
    [
        ({}, {"broker", "address", "lease", "fsync"}),
        ({"broker": "rabbitmq"}, {"broker", "address"}),
        ({"address": "host:1"}, {"broker", "address", "lease", "key"}),
        ({"address": ""}, {"broker", "address", "lease", "fsync"}),
    ],
)
def test_what_has_no_effect_is_not_shown(overrides: dict[str, str], shown: set[str]) -> None:
    """Nothing is printed or stored as in force that nobody reads; its value can still be looked up."""
    in_force = resolve("celery", CONDITIONAL, ConfigClass.CI, overrides)

    assert set(in_force.shown()) == shown
    assert {setting.name for setting in CONDITIONAL if in_force.applies(setting.name)} == shown
    assert in_force["lease"] == 3
    assert SettingsInForce.from_json(json.loads(json.dumps(in_force.to_json()))) == in_force


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"lease": "5", "broker": "rabbitmq"},
            "--set celery.lease=5 would have no effect, because celery.broker is rabbitmq; "
            "it applies only when celery.broker is v",
        ),
        (
            {"address": "u:secret@host", "fsync": "no"},
            "--set celery.fsync=no would have no effect, because celery.address is set; "
            "it applies only when celery.address is not set and celery.broker is v",
        ),
        (
            {"key": "x"},
            "--set celery.key=x would have no effect, because celery.address is not set; "
            "it applies only when celery.address is set",
        ),
    ],
)
def test_setting_what_has_no_effect_is_refused(overrides: dict[str, str], message: str) -> None:
    """Otherwise its user would believe that it took effect."""
    with pytest.raises(UsageError) as caught:
        resolve("celery", CONDITIONAL, ConfigClass.CI, overrides)

    assert str(caught.value) == message


def test_a_variable_without_effect_is_left_alone() -> None:
    """It may be exported for another run; it does not count as a change of this one."""
    environ = {"LEASE": "5"}
    idle = resolve("celery", CONDITIONAL, ConfigClass.CI, {"broker": "rabbitmq"}, environ=environ)
    used = resolve("celery", CONDITIONAL, ConfigClass.CI, environ=environ)

    assert idle.changed == ("broker",)
    assert "lease" not in idle.shown()
    assert (used.changed, used.shown()["lease"]) == (("lease",), 5)


def test_a_value_that_changes_later_changes_what_applies() -> None:
    """An engine may replace values (``skipping_time``); the conditions look at those."""
    in_force = resolve("celery", CONDITIONAL, ConfigClass.CI)
    replaced = replace(in_force, values={**in_force.values, "broker": "rabbitmq"})

    assert "lease" in in_force.shown()
    assert "lease" not in replaced.shown()


def test_a_condition_in_words() -> None:
    """As the listing shows it."""
    assert condition(CONDITIONAL[3].only) == "address is not set and broker is v"
    assert condition({}) == ""
