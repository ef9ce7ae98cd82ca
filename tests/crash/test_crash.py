"""``bakeoff crash`` kills real workers and real servers, and says what became of the sagas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.engines.dramatiq_stack import require
from tests.tiers import thorough

pytestmark = [pytest.mark.service]

#: One kill per point, and nothing as shipped beside it.
_LINE = ["crash", "--config", "recommended", "--json", "kills.json", "--no-report"]
_DRAMATIQ = [
    *(*_LINE, "--engine", "dramatiq", "--broker", "valkey"),
    *("--set", "dramatiq.heartbeat_timeout_s=2", "--deadline", "40"),
]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _kills(terminal: Terminal) -> dict[str, dict[str, Any]]:
    """``{point: kill}``."""
    kills = json.loads((terminal.folder / "kills.json").read_text())["kills"]
    return {kill["point"]: kill for kill in kills}


@pytest.mark.slow
def test_killed_workers_are_survived_and_the_price_is_told(terminal: Terminal) -> None:
    """Before the effect the step is tried again; after it only the key keeps it from happening twice."""
    points = ["charge_payment.before_effect", "refund_payment.after_effect", "charge_payment.next_published"]
    done = terminal.run([*_DRAMATIQ, *(part for name in points for part in ("--point", name))])
    kills = _kills(terminal)

    assert done.returncode == 0, done.stderr + done.stdout
    assert [kills[name]["outcome"] for name in points] == [
        "retried",
        "would have duplicated",
        "would have duplicated",
    ]
    for kill in kills.values():
        assert kill["in_flight"] == 3
        assert len(kill["ended"]) >= 2, "the master and its child"
        assert kill["struck_pid"] in kill["ended"]
        assert 0 < kill["detection_s"] <= kill["recovery_s"] < 40
    assert kills["charge_payment.before_effect"]["extra_attempts"] == {"charge_payment": 1}
    assert "3 kills of order sagas (dramatiq[valkey])" in done.stdout
    assert terminal.leftovers() == []


@pytest.mark.slow
@thorough
def test_several_stacks_of_one_engine_wait_out_their_leases_at_the_same_time(terminal: Terminal) -> None:
    """Each has servers, workers and a ledger of its own; one lane is enough, because nobody computes."""
    points = [f"charge_payment.{name}" for name in ("between_steps", "before_effect", "after_effect")]
    done = terminal.run(
        [
            *(*_LINE, "--engine", "dramatiq", "--broker", "valkey", "--copies", "3", "--lanes", "1"),
            *("--set", "dramatiq.heartbeat_timeout_s=13", "--deadline", "40"),
            *(part for name in points for part in ("--point", name)),
        ]
    )
    kills = _kills(terminal)

    assert done.returncode == 0, done.stderr + done.stdout
    assert [kills[name]["outcome"] for name in points] == ["clean", "retried", "would have duplicated"]
    assert len({kill["stack"] for kill in kills.values()}) == 3
    ends = [(kill["landed_at"], kill["landed_at"] + kill["recovery_s"]) for kill in kills.values()]
    assert max(began for began, _ in ends) < min(end for _, end in ends), "all three waited at once"
    assert terminal.leftovers() == []


@pytest.mark.slow
@thorough
def test_a_killed_broker_is_started_again(terminal: Terminal) -> None:
    require("rabbitmq")
    line = [*_LINE, "--engine", "dramatiq", "--broker", "rabbitmq", "--fault", "server-kill"]
    done = terminal.run([*line, "--point", "charge_payment.after_effect"])
    (kill,) = _kills(terminal).values()

    assert done.returncode == 0, done.stderr + done.stdout
    assert kill["outcome"] in ("clean", "retried", "would have duplicated")
    assert kill["ended"]


@pytest.mark.slow
@thorough
def test_outcomes_are_told_although_their_server_was_away(terminal: Terminal) -> None:
    """Effects without a word are no end: whoever waits for the order would wait for ever."""
    require("rabbitmq")
    line = [*_LINE, "--engine", "celery", "--broker", "rabbitmq", "--fault", "results-kill"]
    done = terminal.run([*line, "--point", "charge_payment.after_effect"])
    (kill,) = _kills(terminal).values()

    assert done.returncode == 0, done.stderr + done.stdout
    assert kill["outcome"] == "clean", kill["detail"]


@pytest.mark.slow
def test_without_an_engine_a_crash_leaves_an_orphaned_charge(terminal: Terminal) -> None:
    """The classic: the card is charged, and nobody knows of the order any more."""
    done = terminal.run([*_LINE, "--engine", "inline", "--point", "charge_payment.after_effect"])
    (kill,) = _kills(terminal).values()

    assert done.returncode == 1
    assert kill["outcome"] == "lost"
    assert "it still holds reserve_inventory, charge_payment" in kill["detail"]
    assert kill["recovery_s"] is None
    assert terminal.leftovers() == []


@pytest.mark.slow
@thorough
def test_services_without_keys_show_what_the_keys_prevent(terminal: Terminal) -> None:
    line = [*_DRAMATIQ, "--participants", "naive", "--point", "charge_payment.after_effect"]
    done = terminal.run(line)
    (kill,) = _kills(terminal).values()

    assert done.returncode == 1
    assert kill["outcome"] == "duplicated"
    assert "charged 2 times" in kill["detail"]


@pytest.mark.slow
def test_what_cannot_be_done_to_an_engine_is_told_with_the_reason(terminal: Terminal) -> None:
    line = [*_LINE, "--engine", "temporal", "--fault", "child-kill"]
    done = terminal.run([*line, "--point", "charge_payment.after_effect"])

    assert done.returncode == 0, done.stderr
    assert "not supported" in done.stdout
    assert "its worker is a single process" in done.stdout


@pytest.mark.slow
def test_settings_that_forbid_the_saga_are_told_with_the_reason(terminal: Terminal) -> None:
    """A lease that is shorter than a pause of the saga: nothing was killed, and nothing is void."""
    line = [*_LINE, "--engine", "celery", "--broker", "valkey", "--set", "celery.visibility_timeout=5"]
    done = terminal.run([*line, "--own-leases", "--point", "charge_payment.after_effect"])

    assert _kills(terminal)["charge_payment.after_effect"]["outcome"] == "not supported"
    assert "Celery would act on it more than once" in done.stdout
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fault", "meteor"], "--fault meteor: there is no such fault. worker-kill: SIGKILL of the whole"),
        (["--point", "charge_payment.nowhere"], "order has no such point; it has during_start, reserve_inv"),
        (
            ["--saga", "order-approval-timeout"],
            "order-approval-timeout: `bakeoff crash` needs a saga of recorded steps without short waits",
        ),
        (
            ["--saga", "noop"],
            "--saga noop: `bakeoff crash` needs a saga of recorded steps without short wait",
        ),
        (
            ["--engine", "temporal", "--point", "charge_payment.next_published"],
            "--point charge_payment.next_published: order has no such point",
        ),
        (["--kills", "0"], "Invalid value for '--kills'"),
        (["--json", "no/such/folder/kills.json"], "--json no/such/folder/kills.json: cannot be written"),
        (
            ["--engine", "celery", "--set", "celery.broker_url=redis://127.0.0.1:1/0"],
            "celery: broker was not started by bakeoff, and nothing is killed there",
        ),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_started(
    terminal: Terminal, arguments: list[str], message: str
) -> None:
    refused = terminal.run(["crash", *arguments])

    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert terminal.leftovers() == []
