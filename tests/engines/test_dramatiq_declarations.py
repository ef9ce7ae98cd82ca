"""What Dramatiq says of itself before anything is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.contract import sagas
from bakeoff.deployment import Deployment
from bakeoff.engine import Capability, Support
from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff.saga import Saga, Step
from bakeoff.settings import ConfigClass
from bakeoff_dramatiq.settings import SETTINGS
from bakeoff_dramatiq.state import element_of_actor, step_actor, undo_actor
from tests.engines.dramatiq_stack import BROKERS, settings_of


@pytest.mark.parametrize("broker", BROKERS)
def test_every_capability_has_a_claim_with_a_reason(broker: str) -> None:
    claims = Plugins().engine("dramatiq").info(settings_of({"broker": broker})).claims

    assert set(claims) == set(Capability)
    assert all(claim.reason for claim in claims.values())
    absent = {capability for capability, claim in claims.items() if claim.support is Support.ABSENT}
    scheduling = {Capability.SCHEDULES, Capability.CATCH_UP}
    assert absent == {Capability.CANCEL, Capability.EVENT_HISTORY, *scheduling}


def test_default_class_is_what_dramatiq_ships() -> None:
    """The values are read from the installed Dramatiq, so an upgrade that changes one is noticed."""
    from dramatiq.brokers import redis
    from dramatiq.middleware import TimeLimit

    shipped = {setting.name: setting.default for setting in SETTINGS}

    assert shipped["heartbeat_timeout_s"] == redis.DEFAULT_HEARTBEAT_TIMEOUT / 1000
    assert shipped["maintenance_chance"] == redis.DEFAULT_MAINTENANCE_CHANCE
    assert shipped["dead_message_ttl_s"] == redis.DEFAULT_DEAD_MESSAGE_TTL / 1000
    assert shipped["time_limit_interval_ms"] == TimeLimit().manager.interval * 1000  # type: ignore[union-attr]
    program = (
        "import dramatiq.worker as w; print(w.WORKER_TIMEOUT, w.QUEUE_PREFETCH, w.CONSUMER_RESTART_DELAY)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    names = ("worker_timeout_ms", "queue_prefetch", "restart_delay_ms")
    assert [int(word) for word in answer.split()] == [shipped[name] for name in names]


def test_worker_command_is_dramatiqs_own() -> None:
    """What a user would type, with the variables that Dramatiq reads."""
    deployment = Deployment(
        engine="dramatiq",
        settings=settings_of({"processes": "2"}, ConfigClass.RECOMMENDED),
        addresses={"broker": "redis://user:secret@127.0.0.1:1/0"},
        world_url="sqlite:///x",
        slots=8,
    )

    command = list(Plugins().engine("dramatiq").worker_command(deployment))

    assert command[command.index("-m") + 1 :][:2] == ["dramatiq", "bakeoff_dramatiq.worker:setup"]
    assert command[-4:] == ["--processes", "2", "--threads", "4"]
    assert "dramatiq_worker_timeout=100" in command
    assert not any("secret" in word for word in command)


def test_children_that_cannot_share_the_slots_are_refused() -> None:
    """Rounding would change the concurrency that everybody has."""
    deployment = Deployment(
        engine="dramatiq",
        settings=settings_of({"processes": "3"}, ConfigClass.RECOMMENDED),
        addresses={"broker": "redis://127.0.0.1:1/0"},
        world_url="sqlite:///x",
        slots=8,
    )

    with pytest.raises(UsageError, match=r"dramatiq\.processes=3 does not divide the 8 slots .* 1, 2, 4, 8"):
        Plugins().engine("dramatiq").worker_command(deployment)


def test_addresses_come_from_the_environment_and_are_never_shown() -> None:
    from bakeoff.settings import resolve

    environ = {"BAKEOFF_DRAMATIQ_BROKER_URL": "redis://user:secret@example/0"}
    settings = resolve("dramatiq", SETTINGS, ConfigClass.RECOMMENDED, environ=environ)

    assert settings["broker_url"] == environ["BAKEOFF_DRAMATIQ_BROKER_URL"]
    assert "secret" not in str(settings.shown())
    (server,) = Plugins().engine("dramatiq").servers(settings)
    assert server.external_address == environ["BAKEOFF_DRAMATIQ_BROKER_URL"]


def test_missing_sdk_is_told_with_the_command_that_installs_it() -> None:
    """The plug-in's module imports everywhere; only asking for the engine needs the SDK."""
    program = (
        "import sys; sys.modules['dramatiq'] = None\n"
        "from bakeoff.plugins import Plugins\n"
        "from bakeoff.errors import EngineUnavailableError\n"
        "import bakeoff_dramatiq\n"
        "try: Plugins().engine('dramatiq')\n"
        "except EngineUnavailableError as error: print(error)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path.home()
    )
    assert 'pip install "bakeoff[dramatiq]"' in answer.stdout


def test_steps_that_share_a_compensation_have_actors_of_their_own() -> None:
    """Their timeouts and policies may differ."""

    def act(call: object) -> None: ...

    def undo(call: object) -> None: ...

    def undo_other(call: object) -> None: ...

    steps = (
        Step(name="one", action=act, compensation=undo),
        Step(name="two", action=act, compensation=undo),
        Step(name="three", action=act, compensation=undo_other),
    )
    saga = Saga("sharing", steps)

    assert [undo_actor(saga, step) for step in steps] == [
        "sharing.undo.one",
        "sharing.undo.two",
        "sharing.undo_other",
    ]
    assert element_of_actor(saga, "sharing.undo.two") == "undo"
    assert element_of_actor(sagas.TRIP, step_actor(sagas.TRIP, sagas.TRIP.step("book_car"))) == "book_car"
