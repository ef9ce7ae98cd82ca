"""``bakeoff run`` and ``bakeoff check`` as a user calls them, on the engine that needs no server."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bakeoff.checkers import CHECKERS
from bakeoff.cli.main import run
from bakeoff.history import read_history
from bakeoff.orders import (
    NOOP,
    ORDER,
    ORDER_APPROVAL,
    ORDER_APPROVAL_TIMEOUT,
    ORDER_DELAYED,
    ORDER_PARALLEL,
    ORDER_PIVOT,
)
from bakeoff.saga import Saga
from bakeoff_bench.run.duration import PATIENCE_S
from bakeoff_bench.run.folder import RunFolder
from bakeoff_scenarios import LOADS
from tests.run.conftest import Command

_EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def test_run_comes_to_the_expected_numbers_and_says_so(bakeoff: Command) -> None:
    ran = bakeoff("run", "--only", "sagas", "--engine", "inline", "--quick")
    inline = ran.result["engines"]["inline"]

    assert ran.code == 0, ran.out
    assert inline["counts"]["completed"] == inline["expected"]["completed"] == 55
    assert inline["counts"]["compensated"] == inline["expected"]["compensated"] == 5
    assert inline["counts"]["rejected"] == 2
    assert inline["duplicates"]["attempted"] == inline["duplicates"]["planned"]
    assert list(ran.verdicts("inline")) == list(CHECKERS)
    assert ran.out.splitlines()[0].startswith("60 order sagas on each engine (inline): about")
    for word in ("indicative, closed loop", "class recommended", "durability", "python 3", "verdict: valid"):
        assert word in ran.out
    assert "inline: done, 60 of 60 started, 60 settled, 5 compensated" in ran.err


@pytest.mark.parametrize(
    "saga",
    [ORDER, ORDER_PIVOT, ORDER_PARALLEL, ORDER_APPROVAL, ORDER_APPROVAL_TIMEOUT, ORDER_DELAYED, NOOP],
    ids=lambda saga: saga.name,
)
def test_every_saga_comes_to_its_expected_numbers(bakeoff: Command, saga: Saga) -> None:
    orders = ("--count", "40", "--concurrency", "20", "--rounds", "1")
    ran = bakeoff("run", "--only", "sagas", "--engine", "inline", "--saga", saga.name, *orders)

    assert ran.code == 0, ran.out
    assert ran.result["saga"]["name"] == saga.name


def test_plan_follows_from_the_seed(bakeoff: Command, tmp_path: Path) -> None:
    def plan(seed: str, name: str) -> str:
        out = tmp_path / name
        orders = ("--count", "20", "--rounds", "1", "--seed", seed)
        assert bakeoff("run", "--only", "sagas", "--engine", "inline", *orders, "--out", str(out)).code == 0
        return (out / "inline" / "plan.jsonl").read_text()

    assert plan("5", "first") == plan("5", "second") != plan("6", "third")


def test_own_saga_without_orders_runs_from_the_users_folder(
    bakeoff: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process of ``docs/examples``: its declines are told by ``facts``, the rest is bakeoff's."""
    monkeypatch.chdir(_EXAMPLES)
    ran = bakeoff(
        "run", "--only", "sagas", "--engine", "inline", "--saga", "onboarding:ONBOARDING", "--quick"
    )

    assert len((_EXAMPLES / "onboarding.py").read_text().splitlines()) <= 40
    assert ran.code == 0, ran.out
    assert ran.result["engines"]["inline"]["counts"]["compensated"] > 5
    assert ran.verdicts("inline")["I1"] == "not applicable"


_UNTOLD = """
from bakeoff import BusinessError, Call, Saga, Step

def act(call: Call) -> None: ...
def decline(call: Call) -> None: raise BusinessError("never")

UNTOLD = Saga("untold", (Step(name="act", action=act), Step(name="decline", action=decline)))
"""


def test_saga_that_ends_otherwise_than_planned_is_not_waited_for_long_and_the_way_out_is_told(
    bakeoff: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's word ends the wait; the verdict stays what it was, and the rate is void."""
    (tmp_path / "untold.py").write_text(_UNTOLD)
    monkeypatch.chdir(tmp_path)
    ran = bakeoff(
        "run",
        "--only",
        "sagas",
        "--engine",
        "inline",
        "--saga",
        "untold:UNTOLD",
        "--count",
        "4",
        "--rounds",
        "1",
        "--out",
        "kept",
    )
    waited = [
        operation.completed_at_s - operation.invoked_at_s
        for operation in read_history(tmp_path / "kept" / "inline" / "history.jsonl")
        if operation.name == "settled" and operation.completed_at_s is not None
    ]

    assert ran.code == 1
    assert ran.verdicts("inline")["expected"] == "invalid"
    assert len(waited) == 4
    assert max(waited) < PATIENCE_S / 2
    assert re.search(r"sagas/s +void", ran.out)
    assert "a function facts(input) beside the saga tells bakeoff so (docs/run.md)" in ran.out


def test_scarcity_has_exactly_as_many_winners_as_units(bakeoff: Command) -> None:
    ran = bakeoff("run", "--only", "sagas", "--engine", "inline", "--scenario", "scarcity", "--count", "90")

    assert ran.code == 0, ran.out
    assert ran.result["engines"]["inline"]["counts"]["completed"] == 30
    assert ran.result["engines"]["inline"]["counts"]["compensated"] == 60


def test_users_orders_are_run_and_the_rejected_ones_counted(bakeoff: Command, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    rows = [f"{number},tea,{number % 3 + 1},2.50" for number in range(1, 21)]
    orders.write_text("\n".join(["order_id,sku,quantity,unit_price", *rows, "99,tea,0,2.50"]) + "\n")
    out = tmp_path / "run"
    ran = bakeoff("run", "--only", "sagas", "--engine", "inline", "--orders", str(orders), "--out", str(out))
    rejected = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]

    assert ran.code == 0, ran.out
    assert ran.result["orders"]["usable"] == 20
    assert ran.result["engines"]["inline"]["counts"]["rejected"] == 1
    assert [(item["what"], item["line"]) for item in rejected] == [("line", 22), ("order", 22)]
    assert ran.result["orders"]["rejected"] == rejected
    assert "orders.csv, line 22, order 99: line rejected: quantity 0 is not positive" in ran.out


def test_asking_for_more_orders_than_there_are_is_told(bakeoff: Command, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,sku,quantity,unit_price\n1,tea,1,2.50\n2,tea,1,2.50\n")
    ran = bakeoff("run", "--only", "sagas", "--engine", "inline", "--orders", str(orders), "--count", "5")

    assert ran.code == 0, ran.out
    assert "orders.csv holds 2 usable orders" in ran.err


def test_stored_run_is_judged_again_with_the_same_result(bakeoff: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ran = bakeoff("run", "--only", "sagas", "--engine", "inline", "--quick", "--out", str(out))
    again = bakeoff("check", str(out))

    assert ran.code == again.code == 0
    assert again.result == ran.result
    assert not (out / "inline" / "deployment.json").exists()


def test_tampered_ledger_is_found_by_a_later_check(bakeoff: Command, tmp_path: Path) -> None:
    """A refund that disappears from the stored ledger: the sums still fit, the invariants do not."""
    out = tmp_path / "run"
    bakeoff("run", "--only", "sagas", "--engine", "inline", "--quick", "--out", str(out))
    with closing(sqlite3.connect(out / "inline" / "world.db")) as database, database:
        removed = database.execute(
            "delete from ledger where seq = (select max(seq) from ledger "
            "where step = 'charge_payment' and direction = 'compensation' and kind = 'effect')"
        )
    again = bakeoff("check", str(out))

    assert removed.rowcount == 1
    assert again.code == 1
    assert again.verdicts("inline")["I3"] == "invalid"
    assert again.verdicts("inline")["expected"] == "invalid"
    assert "verdict: invalid" in again.out


def test_naive_participants_show_what_would_have_happened_twice(bakeoff: Command) -> None:
    ran = bakeoff(
        "run",
        "--only",
        "sagas",
        "--engine",
        "inline",
        "--participants",
        "naive",
        "--seed",
        "3",
        "--rounds",
        "1",
    )

    assert ran.code == 1
    assert ran.verdicts("inline")["I5"] == "invalid"
    assert "took effect 2 times" in ran.out


def test_unfinished_run_is_not_valid(bakeoff: Command, tmp_path: Path) -> None:
    """What was planned and never started shows in the accounting."""
    out = tmp_path / "run"
    bakeoff("run", "--only", "sagas", "--engine", "inline", "--quick", "--out", str(out))
    folder = RunFolder(out)
    manifest = folder.manifest()
    history = (out / "inline" / "history.jsonl").read_text().splitlines()
    (out / "inline" / "history.jsonl").write_text("\n".join(history[: len(history) // 2]) + "\n")
    folder.write_manifest({**manifest, "complete": False})
    again = bakeoff("check", str(out))

    assert again.code == 1
    assert "THIS RUN WAS BROKEN OFF" in again.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "scarcety"], "scenario 'scarcety' is not known.*Did you mean 'scarcity'"),
        (["--scenario", "scarcity", "--saga", "noop"], "scarcity needs a saga that begins with"),
        (["--scenario", "scarcity", "--saga", "order-approval"], "waits for signals"),
        (["--orders", "nowhere.csv"], "cannot read the orders file nowhere.csv"),
        (["--out", "."], "--out .: it exists already and is not empty"),
        (["--out", "used/run"], "--out used/run: cannot be written"),
        (["--json", "nowhere/x.json"], "--json nowhere/x.json: cannot be written"),
        (["--ledger", "sqlite:///x.db"], "keeps the file in the run folder"),
        (["--count", "0"], "greater than or equal to 1"),
    ],
)
def test_users_mistake_is_one_line_and_leaves_nothing(
    bakeoff: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "used").write_text("a file")
    monkeypatch.chdir(folder)
    ran = bakeoff("run", "--only", "sagas", "--engine", "inline", *arguments, json_=False)

    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
    assert re.search(message, ran.err), ran.err
    assert [path.name for path in folder.iterdir()] == ["used"]


def test_folder_that_is_no_run_is_the_users_mistake(bakeoff: Command, tmp_path: Path) -> None:
    ran = bakeoff("check", str(tmp_path))

    assert ran.code == 2
    assert "is no run folder of bakeoff" in ran.err


def test_scenarios_are_listed(bakeoff: Command) -> None:
    ran = bakeoff("scenarios", json_=False)

    assert ran.code == 0
    assert "scarcity" in ran.out
    assert "orders" in ran.out
    assert [name for name in LOADS if name not in ran.out] == []


@pytest.mark.parametrize(("options", "heard"), [([], True), (["--quiet"], False), (["-q"], False)])
def test_progress_is_not_heard_if_nobody_wants_it(
    capfd: pytest.CaptureFixture[str], options: list[str], heard: bool
) -> None:
    line = ["run", "--only", "sagas", "--engine", "inline", "--count", "5", "--rounds", "1"]

    assert run([*options, *line]) == 0

    printed = capfd.readouterr()
    assert ("inline: round 1 of 1" in printed.err) is heard
    assert "verdict: valid" in printed.out
