"""Attempts that outlive their timeout: as shipped, and with ``release_overrun_slots``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bakeoff.contract import sagas
from bakeoff.deployment import Deployment
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, SettingsInForce, resolve
from bakeoff_temporal.heartbeats import KeepInTouch
from bakeoff_temporal.overruns import SPARE_THREADS, GiveSlotsBack
from bakeoff_temporal.worker import interceptors, threads
from tests.engines.temporal_stack import temporal_lab

SLOTS = 3
#: How long the first attempt takes; its timeout is two seconds.
OVERRUN_S = 16


def _settings(config_class: ConfigClass, **overrides: str) -> SettingsInForce:
    return resolve("temporal", Plugins().engine("temporal").info().settings, config_class, overrides)


def _threads(settings: SettingsInForce) -> int:
    return threads(
        Deployment(engine="temporal", settings=settings, addresses={}, world_url="sqlite:///x", slots=SLOTS)
    )


def test_the_repair_is_a_setting_that_nobody_is_shipped_with() -> None:
    """``default`` has the SDK's own worker: no interceptor, a thread per slot."""
    shipped = _settings(ConfigClass.DEFAULT)

    assert shipped.shown()["release_overrun_slots"] is False
    assert interceptors(shipped) == []
    assert _threads(shipped) == SLOTS
    for config_class in (ConfigClass.RECOMMENDED, ConfigClass.CI):
        repaired = _settings(config_class)
        assert [type(one) for one in interceptors(repaired)] == [KeepInTouch, GiveSlotsBack]
        assert _threads(repaired) == SLOTS + SPARE_THREADS


def test_a_server_of_ones_own_has_the_last_word_on_its_timeouts() -> None:
    """Its timers may be late by the second that it was shipped with: ``timer_shift_ms`` is not for it."""
    _, ours = interceptors(_settings(ConfigClass.CI))
    _, theirs = interceptors(_settings(ConfigClass.CI, address="theirs:7233"))
    assert isinstance(ours, GiveSlotsBack)
    assert isinstance(theirs, GiveSlotsBack)

    assert ours.patience < timedelta(seconds=1) < theirs.patience


@pytest.mark.service
@pytest.mark.parametrize(("release", "after_s", "within_s"), [("true", 2, 6.5), ("false", 6.5, OVERRUN_S)])
def test_slot_of_an_overrun_comes_back(tmp_path: Path, release: str, after_s: float, within_s: float) -> None:
    """The next attempt needs the only slot: at the timeout, or, as shipped, when the SDK interrupts.

    With heartbeats the SDK hears of the timeout sooner, so there are none here.
    """
    overrides = {"release_overrun_slots": release, "heartbeat_timeout_s": "0"}
    with temporal_lab(tmp_path, "overrun", overrides=overrides, slots=1) as lab:
        lab.settle(sagas.POLICIES)  # a worker's first activity may be noted late
        settled = lab.settle(sagas.POLICIES, fates={"hasty:action": {"first": [f"slow:{OVERRUN_S}"]}})

    first, second = (attempt.at for attempt in settled.trace.attempts("hasty"))
    assert settled.outcome.status is Status.COMPLETED
    assert after_s <= second - first < within_s
