"""Each ordeal on one real engine, small; and what makes it fail."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.ordeals.conftest import Put
from tests.tiers import more, thorough

pytestmark = [pytest.mark.service]


@thorough
@pytest.mark.slow
def test_orders_beside_slow_sagas_are_compared_with_orders_alone(put: Put) -> None:
    code, result, shown = put("noisy-neighbour", "inline", "--size", "10")

    assert (code, result["verdict"]) == (0, "valid"), shown
    assert result["counts"] == {"completed": 27, "compensated": 3}
    assert (result["integers"]["orders alone"], result["integers"]["orders beside"]) == (10, 10)
    assert result["integers"]["slow sagas"] >= 3
    times = result["times_s"]
    assert result["ratios"]["p50"] == pytest.approx(times["beside p50"] / times["alone p50"])
    assert times["slow sagas p50"] > 2


@pytest.mark.slow
def test_a_backlog_that_built_without_a_worker_is_worked_off_whole(put: Put) -> None:
    code, result, shown = put("backlog", "dramatiq", "--config", "ci", "--size", "20")

    assert (code, result["verdict"]) == (0, "valid"), shown
    assert result["integers"]["backlog"] == 20
    assert result["integers"]["backlog left at the deadline"] == 0
    assert sum(result["counts"].values()) == 10 + 20 + result["integers"]["orders meanwhile"]
    assert result["times_s"]["oldest wait for a first attempt"] > 1, "orders came in for two seconds"
    assert result["times_s"]["backlog drained"] >= result["times_s"]["worker ready"] > 0
    assert result["memory_mb"]["worker at its highest"] > 10


@pytest.mark.slow
@pytest.mark.parametrize(("name", "with_it"), [("code-change", 9), more("code-change-behind", 0)])
def test_waiting_sagas_end_by_one_version_or_the_other(put: Put, name: str, with_it: int) -> None:
    """A message that waits holds the way before it, not behind it; one of ten is declined before the step."""
    code, result, shown = put(name, "dramatiq", "--config", "ci", "--size", "10")

    assert (code, result["verdict"]) == (0, "valid"), shown
    assert result["counts"] == {"completed": 18, "compensated": 2}
    assert result["integers"] == result["integers"] | {
        "in flight at the change": 10,
        "of them ended with the new step": with_it,
        "of them ended without it": 10 - with_it,
        "of them not ended": 0,
        "started afterwards": 10,
        "of those not ended": 0,
    }


@pytest.mark.slow
def test_parked_sagas_survive_a_restart_of_everything_and_wake_up(put: Put) -> None:
    code, result, shown = put("parked", "dramatiq", "--config", "ci", "--size", "30")

    assert (code, result["verdict"]) == (0, "valid"), shown
    assert result["counts"] == {"completed": 27, "compensated": 3}
    assert result["integers"] == {
        "parked": 30,
        "processes restarted": 3,
        "signals": 30,
        "done": 30,
        "attempts beyond the plan": 0,
    }
    assert all(seconds is not None and seconds >= 0 for seconds in result["times_s"].values())


@pytest.mark.slow
@thorough
def test_a_server_that_keeps_nothing_loses_every_parked_saga_and_the_verdict_says_so(put: Put) -> None:
    """The negative control: damage of a real engine, as it is shipped."""
    memory = ("--set", "temporal.database=memory", "--deadline", "3")
    code, result, shown = put("parked", "temporal", "--config", "ci", *memory, "--size", "10")

    assert (code, result["verdict"]) == (1, "invalid"), shown
    assert result["counts"] == {"lost": 10}
    assert result["integers"]["parked"] == 10
    assert result["integers"]["done"] == 0
    assert result["times_s"]["all done after the first signal"] is None
    assert any("the engine knows nothing of it" in reason for reason in result["reasons"])


@thorough
@pytest.mark.slow
def test_an_order_that_kills_its_worker_is_given_up_after_its_attempts(put: Put) -> None:
    code, result, shown = put("poison", "temporal", "--config", "ci", "--size", "10")

    assert (code, result["verdict"]) == (0, "valid"), shown
    # A kill that comes late on a busy machine may find that the attempt has timed out.
    deaths = result["integers"]["deaths"]
    assert 1 <= deaths <= result["integers"]["attempts of the poisoned payment"] <= 3
    assert result["integers"]["workers started again"] == deaths
    assert f"the poisoned order: compensated after {deaths} deaths" in result["notes"]
    beside = result["integers"]["orders beside it"]
    assert beside >= 10
    assert sum(result["counts"].values()) == 10 + beside


@pytest.mark.slow
@thorough
def test_an_order_that_nobody_gives_up_is_no_good_end(put: Put) -> None:
    """A message that comes back as often as its worker dies; only the one who kills has an end."""
    beats = ("--set", "dramatiq.heartbeat_timeout_s=0.5")
    code, result, shown = put("poison", "dramatiq", "--config", "ci", *beats, "--size", "10")

    assert (code, result["verdict"]) == (1, "invalid"), shown
    assert result["integers"]["deaths"] == 6
    assert result["integers"]["attempts of the poisoned payment"] == 7
    assert any("never given up: 6 deaths" in reason for reason in result["reasons"])
    assert set(result["counts"]) == {"completed", "compensated"}, "the others are all well"


@thorough
@pytest.mark.slow
def test_a_worker_that_dies_under_load_leaves_a_dip_and_everything_ends(put: Put) -> None:
    beats = ("--set", "dramatiq.heartbeat_timeout_s=2")
    code, result, shown = put("under-load", "dramatiq", "--config", "ci", *beats, "--size", "15")

    assert (code, result["verdict"]) == (0, "valid"), shown
    counted, times = result["integers"], result["times_s"]
    assert counted["in flight at the kill"] >= 3
    assert (counted["in flight, not settled"], counted["of them not settled"]) == (0, 0)
    assert counted["orders before"] >= 12, "those that ended before the kill"
    assert counted["orders after"] >= 15
    assert counted["attempts beyond the plan"] >= 3, "those that stood at the point"
    assert times["kill to the end of all in flight"] > 2, "the lease"
    assert times["longest silence from the kill on"] > 0.3, "a worker needs so long to start"
    came = 10 + 3 + counted["orders before"] + counted["orders after"]
    assert sum(result["counts"].values()) >= came, "and those that were in flight"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("under-load", "there is no worker to kill"),
        ("backlog", "no worker can be absent"),
        ("code-change", "its sagas live in the client's process, and end with its code"),
        ("parked", "its sagas live in the client's process, and end with it"),
        ("poison", "its sagas run in the client's process"),
    ],
)
def test_what_an_engine_cannot_be_put_to_is_told_with_the_reason(put: Put, name: str, reason: str) -> None:
    code, result, shown = put(name, "inline")

    assert (code, result["verdict"]) == (0, "not supported")
    assert reason in result["reasons"][0]
    assert reason in shown


@pytest.mark.slow
def test_ctrl_c_in_the_middle_leaves_nothing(terminal: Terminal) -> None:
    with terminal.open(["ordeal", "parked", "--engine", "dramatiq", "--size", "3000"]) as command:
        command.wait_for("reserved their goods")

        assert command.interrupt() == 130
    assert "Traceback" not in command.text
    assert terminal.leftovers() == []
