"""Per engine: what is printed as in force has an effect, and what has none is refused."""

from __future__ import annotations

import json
import re

import pytest

from bakeoff.cli.main import run
from bakeoff.contract.contestants import Wishes, find_contestants
from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff_bench.run.manifest import shown_settings

#: Settings of one broker or server; all others apply with either.
VALKEY = {
    "celery": {
        "visibility_timeout",
        "unacked_mutex_expire",
        "unacked_restore_interval",
        "unacked_restore_throttle",
    },
    "dramatiq": {
        "heartbeat_timeout_s",
        "maintenance_chance",
        "dead_message_ttl_s",
        "requeue_delayed",
        "reject_unreadable",
    },
}
RABBITMQ = {"celery": {"confirm_publish", "consumer_timeout"}, "dramatiq": {"confirm_delivery", "own_tags"}}
OUR_SERVER = {"server", "database", "poll_rps", "timer_shift_ms", "eager_activities"}
THEIR_SERVER = {"ui", "api_key", "tls", "tls_ca", "tls_cert", "tls_key"}


def _printed(engine: str, **overrides: str) -> set[str]:
    """Names in the line that ``bakeoff run`` prints."""
    settings = resolve(engine, Plugins().engine(engine).info().settings, ConfigClass.RECOMMENDED, overrides)
    about = {"settings": settings.shown(), "changed": settings.changed, "raw": settings.raw}
    return set(re.findall(r"(\w+)=", shown_settings(about)))


@pytest.mark.parametrize("engine", ["celery", "dramatiq"])
def test_settings_of_the_other_broker_are_not_printed(engine: str) -> None:
    on_valkey, on_rabbitmq = _printed(engine), _printed(engine, broker="rabbitmq")

    assert on_valkey - on_rabbitmq == VALKEY[engine]
    assert on_rabbitmq - on_valkey == RABBITMQ[engine]


def test_what_only_processes_can_do_is_not_printed_for_threads() -> None:
    """Celery's pool of threads limits and kills nothing."""
    prefork, threads = _printed("celery"), _printed("celery", pool="threads")

    killing = {"hard_limit_margin", "task_reject_on_worker_lost", "task_retry_on_worker_lost"}
    assert (prefork - threads, threads - prefork) == (killing, set())


def test_what_only_the_server_can_do_is_not_printed_for_local_activities() -> None:
    by_the_server, local = _printed("temporal"), _printed("temporal", local_activities="yes")

    assert by_the_server - local == {"activity_pollers", "eager_activities", "heartbeat_timeout_s"}
    assert local - by_the_server == {"workflow_task_timeout_s"}


def test_settings_of_the_dev_server_are_not_printed_for_another_one() -> None:
    ours, theirs = _printed("temporal"), _printed("temporal", address="theirs:7233", tls_ca="theirs.pem")

    assert ours - theirs == OUR_SERVER
    assert theirs - ours == {"address", "tls", "tls_ca"}
    assert _printed("temporal", server="time-skipping") == ours - (OUR_SERVER - {"server"})


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (
            "run -e celery --set celery.broker=rabbitmq --set celery.visibility_timeout=30",
            ("celery.visibility_timeout=30", "celery.broker is rabbitmq"),
        ),
        (
            "run -e dramatiq --set dramatiq.confirm_delivery=no",
            ("dramatiq.confirm_delivery=no", "dramatiq.broker is valkey"),
        ),
        (
            "up -e temporal --set temporal.poll_rps=5 --set temporal.address=secret:1",
            ("temporal.poll_rps=5", "temporal.address is set"),
        ),
        (
            "run -e celery --set celery.pool=threads --set celery.hard_limit_margin=5",
            ("celery.hard_limit_margin=5", "celery.pool is threads"),
        ),
        ("up -e temporal --set temporal.tls=yes", ("temporal.tls=yes", "temporal.address is not set")),
    ],
)
def test_what_would_have_no_effect_is_a_users_mistake(
    command: str, names: tuple[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, before anything is started; both settings are named."""
    monkeypatch.delenv("BAKEOFF_TEMPORAL_ADDRESS", raising=False)

    assert run(command.split()) == 2

    told = " ".join(capfd.readouterr().err.split())
    assert all(name in told for name in names), told
    assert "secret" not in told


def test_the_contract_suite_refuses_it_too() -> None:
    """``--broker`` counts like ``--set``."""
    wishes = Wishes(engines=("celery",), sets=("celery.visibility_timeout=5",), broker="rabbitmq")

    with pytest.raises(UsageError, match=r"celery\.visibility_timeout=5 .* celery\.broker is rabbitmq"):
        find_contestants(wishes)


@pytest.mark.parametrize("engine", ["celery", "dramatiq", "temporal"])
def test_the_listing_is_complete_and_says_when(engine: str, capfd: pytest.CaptureFixture[str]) -> None:
    declared = Plugins().engine(engine).info().settings
    assert run(["engines", "--engine", engine]) == 0
    printed = capfd.readouterr().out
    assert run(["engines", "--engine", engine, "--json"]) == 0
    (listed,) = json.loads(capfd.readouterr().out)["engines"]

    assert all(f"{engine}.{setting.name}" in printed for setting in declared)
    assert {one["name"]: one["only"] for one in listed["settings"]} == {
        s.name: dict(s.only) for s in declared
    }
    conditions = {
        "celery": ("broker is valkey", "broker is rabbitmq"),
        "dramatiq": ("broker is valkey", "broker is rabbitmq"),
        "temporal": ("address is set", "address is not set and server is dev"),
    }
    words = " ".join(printed.split())
    assert all(f"only when {condition}" in words for condition in conditions[engine])


def test_every_condition_names_a_setting_and_a_value_that_it_can_have() -> None:
    """A typing error would hide a setting for ever."""
    for engine in Plugins().engine_names():
        by_name = {setting.name: setting for setting in Plugins().engine(engine).info().settings}
        for setting in by_name.values():
            for other, wanted in setting.only.items():
                choices = by_name[other].choices
                assert wanted in (choices or (True, False)), f"{engine}.{setting.name}: {other}={wanted}"
