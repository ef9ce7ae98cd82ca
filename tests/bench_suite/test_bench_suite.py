"""``pytest bench``: what it times, what it writes beside the times, what it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench_suite.suite import TINY, Ran, pytest_bench, run
from tests.tiers import thorough

_ENGINE = "[inline[recommended]]"
_SAGAS = {f"test_{name}{_ENGINE}" for name in ("one_saga", "start", "parallel", "signal", "batch")}
_SIZES = {
    f"test_{name}{_ENGINE.removesuffix(']')}-{size}]"
    for name in ("steps", "compensation")
    for size in (1, 4, 16)
}
#: Has two deployments of its own.
_SPANS = {f"test_telemetry{_ENGINE}"}
_HARNESS = {"test_ledger", "test_checkers", "test_plugin", "test_hop", "test_null_engine"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    chosen = ("--deselect", "bench/test_load.py")  # has a test of its own
    return pytest_bench(*TINY, *chosen, json_file=tmp_path_factory.mktemp("bench") / "inline.json")


def test_without_an_engine_it_is_inline_and_the_harness(ran: Ran) -> None:
    assert ran.code == 0, ran.out
    assert set(ran.benchmarks) == _SAGAS | _SIZES | _SPANS | _HARNESS
    assert {one["stats"]["rounds"] for one in ran.benchmarks.values()} == {2}
    assert all(one["stats"]["min"] > 0 for one in ran.benchmarks.values())


def test_nothing_recovers_where_nothing_survives(ran: Ran) -> None:
    assert "not supported: inline declares to survive no kill: in the client's process" in ran.out


def test_groups_put_engines_side_by_side(ran: Ran) -> None:
    groups = {name: one["group"] for name, one in ran.benchmarks.items()}

    assert len({groups[name] for name in _SAGAS | _SIZES}) == len(_SAGAS | _SIZES)
    assert not any("inline" in group for group in groups.values())
    assert {groups[name] for name in _HARNESS} == {"harness"}


@pytest.mark.parametrize("name", sorted(_SAGAS | _SIZES))
def test_what_belongs_to_a_time_stands_beside_it(ran: Ran, name: str) -> None:
    info = ran.benchmarks[name]["extra_info"]
    sagas = 2 * (64 if "batch" in name else 1)

    assert (info["engine"], info["contestant"]) == ("inline", "inline[recommended]")
    assert info["config_class"] == "recommended"
    assert info["settings"] == {"threads": 32}
    assert set(info["versions"]) == {"python"}
    assert info["sagas"] == info["latency_s"]["n"] == sagas
    assert info["latency_s"]["p50"] <= info["latency_s"]["p90"] <= info["latency_s"]["p95"]
    assert info["attempts"]["planned"] > 0
    assert info["attempts"]["made"] == info["attempts"]["planned"] + info["attempts"]["extra"]
    assert info["settled_in_ledger_s"]["p50"] > 0
    assert info["acknowledged_s"]["p50"] > 0
    assert info["warm_up_rounds"] == 1


def test_what_one_more_costs_is_told_when_there_are_two(ran: Ran) -> None:
    def info(name: str, size: int) -> dict[str, object]:
        found: dict[str, object] = ran.benchmarks[f"test_{name}[inline[recommended]-{size}]"]["extra_info"]
        return found

    assert info("steps", 1)["per_step_s"] is None
    assert isinstance(info("steps", 16)["per_step_s"], float)
    assert isinstance(info("compensation", 16)["per_step_and_undo_s"], float)
    undoing = info("compensation", 4)["undoing_s"]
    assert isinstance(undoing, dict)
    assert undoing["n"] == 2
    assert undoing["p50"] > 0


def test_rates_and_signals(ran: Ran) -> None:
    batch = ran.benchmarks[f"test_batch{_ENGINE}"]
    signal = ran.benchmarks[f"test_signal{_ENGINE}"]

    assert batch["extra_info"]["sagas_per_s"]["p95"] == pytest.approx(64 / batch["stats"]["min"])
    assert "closed loop, 16 of 64 in flight" in batch["extra_info"]["load"]
    assert signal["extra_info"]["accepted_s"]["n"] == 2
    assert signal["extra_info"]["accepted_s"]["p95"] <= signal["stats"]["max"]


@thorough
def test_a_named_load(tmp_path: Path) -> None:
    """On a busy machine its rounds may be void, and then nothing is timed and it says so."""
    ran = pytest_bench(
        *("-k", "test_load", "--scenario=noisy-neighbour", "--rate=12", "--duration=4", "--rounds=2"),
        json_file=tmp_path / "load.json",
    )
    if ran.code:
        assert "inline[recommended]: no round counts: " in ran.out
        return
    (found,) = ran.benchmarks.values()
    info = found["extra_info"]

    assert found["name"] == "test_load[inline[recommended]-noisy-neighbour]"
    assert found["group"] == "noisy-neighbour, 12/s: median"
    assert info["rounds_void"] + info["rounds_overloaded"] + found["stats"]["rounds"] == 2
    assert info["load"].startswith("noisy-neighbour: one arrival in ten is slow")
    assert info["settings"] == {"threads": 32}
    assert info["censored"] == 0
    # The slow ones are a distribution of their own.
    assert info["latencies"]["order-completed-settled"]["n"] > 0
    assert info["latencies"]["slow-completed-settled"]["n"] > 0


#: ``{engine that breaks a promise: (benchmark that must notice, a word that chooses one of its sizes)}``.
_SABOTEURS = {
    "skips_a_compensation": ("test_compensation", "16"),
    "calls_compensated_completed": ("test_compensation", "16"),
    "loses_outcome_results": ("test_one_saga", ""),
    "never_waits": ("test_signal", ""),
}


def test_a_wrong_result_is_no_time(tmp_path: Path) -> None:
    plugins = [
        argument
        for name in _SABOTEURS
        for argument in ("--engine-plugin", f"{name}=tests.saboteurs.catalogue:{name}", f"--engine={name}")
    ]
    chosen = [" and ".join(filter(None, (name, *words))) for name, words in _SABOTEURS.items()]

    ran = pytest_bench(
        *plugins, "-k", " or ".join(chosen), *TINY, "--tb=line", json_file=tmp_path / "wrong.json"
    )

    assert ran.code == pytest.ExitCode.TESTS_FAILED, ran.out
    for name, (benchmark, _) in _SABOTEURS.items():
        assert f"FAILED bench/{benchmark}.py::{benchmark}[{name}[" in ran.out
    assert " passed" not in ran.out
    assert ran.benchmarks == {}


def test_what_is_declared_absent_is_not_supported_with_the_reason() -> None:
    ran = pytest_bench(
        *("--engine-plugin", "mute=tests.bench_suite.engines:mute", "--engine=mute"),
        *("-k", "signal or parallel", *TINY),
    )

    assert ran.code == 0, ran.out
    assert "not supported: mute: signals: no signals here" in ran.out
    assert "not supported: mute: parallel: no parallel here" in ran.out
    assert "2 skipped" in ran.out


def test_an_engine_that_does_not_come_up_fails_and_is_tried_once() -> None:
    broken = "broken=tests.contract.fake_engines:with_broken_server"
    ran = pytest_bench("--engine-plugin", broken, "--engine=broken", "-k", "one_saga or start", "--tb=line")

    assert ran.code == pytest.ExitCode.TESTS_FAILED
    assert "2 failed" in ran.out
    assert ran.out.count("did not come up") == 2 * 2  # where it failed, and in the summary
    assert "Traceback" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds=0"], "--rounds 0: give 1 or more"),
        (["--warm-up=-1"], "--warm-up -1: give 0 or more"),
        (["--point=nowhere"], "--point nowhere: no process stands there; known: reserve_inventory."),
        (["--point=during_start"], "no process stands there"),
        (["--scenario=order-stedy"], "Did you mean 'order-steady'?"),
        (["--rate=0"], "--rate 0: a number above 0"),
        (["--duration=nan"], "--duration nan: a number above 0"),
        (["--engine=temporall"], "Did you mean 'temporal'?"),
        (["-n", "2"], "benchmarks at the same time measure each other"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], message: str) -> None:
    ran = pytest_bench(*arguments)

    lines = [line for line in ran.err.splitlines() if line.strip()]
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert len(lines) == 1
    assert message in lines[0]


def test_a_class_that_was_asked_for_is_in_the_name() -> None:
    ran = pytest_bench("--config=ci", "--engine=inline", "--collect-only", "-q", "-k", "one_saga")

    assert "test_one_saga[inline]" in ran.out


def test_benchmarks_run_only_when_they_are_named() -> None:
    """Not even where everything is asked for; the rest of the tree is left out, because it takes long."""
    left_out = [f"--ignore={folder}" for folder in ("tests", "core", "docs")]

    done = run([sys.executable, "-m", "pytest", ".", "--collect-only", *left_out, "-p", "no:cacheprovider"])

    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout


def test_disabled_benchmarks_are_still_proved() -> None:
    """``--benchmark-disable`` makes one round of each: a smoke test."""
    ran = pytest_bench("--benchmark-disable", "-k", "one_saga or steps or hop")

    assert ran.code == 0, ran.out
    assert "5 passed" in ran.out


@pytest.mark.service
@pytest.mark.timeout(300)
def test_recovery_kills_in_every_round_and_times_what_follows(tmp_path: Path) -> None:
    ran = pytest_bench(
        *("--engine=dramatiq", "--config=ci", "-k", "recovery", "--rounds=2"),
        json_file=tmp_path / "recovery.json",
    )
    (one,) = ran.benchmarks.values()
    info = one["extra_info"]

    assert ran.code == 0, ran.out
    assert one["name"] == "test_recovery[dramatiq[valkey]]"
    assert (info["point"], info["fault"]) == ("charge_payment.after_effect", "worker-kill")
    assert info["lease_s"] == info["settings"]["heartbeat_timeout_s"] == 5.0
    assert info["outcomes"] == {"would have duplicated": 2}
    assert info["attempts"]["extra_of_the_struck"] == {"charge_payment": 2}
    assert len(info["kills"]) == 2
    for kill, timed_s in zip(info["kills"], one["stats"]["data"], strict=True):
        assert kill["in_flight"] == 3
        assert kill["processes_killed"] >= 1
        assert 0 < kill["detection_s"] <= kill["recovery_s"] <= timed_s
        assert 0 < kill["first_progress_s"] <= kill["recovery_s"]
