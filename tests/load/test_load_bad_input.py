"""The user's mistakes with ``bakeoff load``: one line, exit code 2, nothing left."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Refused


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("load --scenario order-stedy", r"'order-stedy'.*known: order-steady.*Did you mean 'order-steady'\?"),
        ("load --engine temporall", r"'temporall' is not installed"),
        ("load -e celery --broker rabit", r"--broker rabit: there is no such broker"),
        ("load -e celery --set celery.prefech=1", r"unknown setting celery\.prefech"),
        ("load -e inline --rate 0", r"--rate 0: a positive number"),
        ("load -e inline --rate nan", r"--rate nan: a positive number"),
        ("load -e inline --rate 1e6", r"--rate 1e\+06: at most 10000"),
        ("load -e inline --duration -1", r"--duration -1: a positive number"),
        ("load -e inline --duration inf", r"--duration inf: a positive number"),
        ("load -e inline --rate 5 --duration 5 --warm-up 5", r"--warm-up 5: from 0 to less than the 5 s"),
        ("load -e inline --profile publishable --slo 0", r"--slo 0: a positive number"),
        ("load -e inline --slo 3", r"--slo: it bounds the sustained rate, which nobody searches here"),
        ("load -e inline --rate 5 --duration soon", r"'--duration': 'soon' is no time; write seconds"),
        ("load -e inline --within 0", r"--within 0: a positive number of minutes"),
        ("load -e inline --within nan", r"--within nan: a positive number of minutes"),
        ("load -e inline --rate 5 --closed 3", r"--rate and --closed: say only one"),
        ("load -e inline --closed 0", r"Invalid value for '--closed'"),
        ("load -e inline --rounds 31", r"Invalid value for '--rounds'"),
        ("load -e inline --arm-after 3", r"--arm-after: there is no fault to arm"),
        ("load -e celery --fault worker-kill", r"say what and where, as in worker-kill:charge_payment"),
        (
            "load -e celery --fault meteor:charge_payment.after_effect",
            r"--fault meteor: .*worker-kill",
        ),
        ("load -e celery --fault worker-kill:nowhere.after_effect", r"no such point"),
        (
            "load -e celery --fault worker-kill:charge_payment",
            r"one point, as in worker-kill:",
        ),
        (
            "load -e celery --duration 5 --arm-after 9 --fault worker-kill:charge_payment.after_effect",
            r"--arm-after 9: within the 5 s",
        ),
        ("load -e inline --shape nonsense", r"--shape nonsense: say package\.module:Class"),
        ("load -e inline --shape no_such_module:Shape", r"--shape no_such_module:Shape: .*no_such_module"),
        ("load -e inline --rate 0.01 --duration 2", r"starts no saga at all"),
        ("load -e inline --saga ordr", r"saga 'ordr' is not known"),
        ("load -e inline --ledger paper", r"--ledger paper: give sqlite, postgres, or a URL"),
    ],
)
def test_one_line_says_what_is_wrong(refused: Refused, line: str, reason: str) -> None:
    message = refused(line)

    assert re.search(reason, message), message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return None", r"it starts no saga at all"),
        ("return 1 / 0", r"tick\(\) failed: ZeroDivisionError"),
        ("return 'many'", r"must return \(users, spawn rate\), not 'many'"),
        ("return (-1, 1)", r"must return \(users, spawn rate\)"),
        ("return (1, 1)", r"has not returned None for a whole day"),
    ],
)
def test_a_shape_that_makes_no_sense(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, reason: str
) -> None:
    (tmp_path / "odd_shape.py").write_text(f"class Odd:\n    def tick(self):\n        {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "odd_shape", raising=False)

    assert re.search(reason, refused("load -e inline --shape odd_shape:Odd"))


def test_without_locust_the_extra_is_named(
    refused: Refused, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "locust", None)

    line = f"load -e inline --rate 5|tune -e celery|compare {home} {home}|export {home} --csv x.csv"
    for command in line.split("|"):
        assert "this needs locust: pip install 'bakeoff[bench]'" in refused(command)


def test_a_folder_that_is_in_use_is_not_touched(refused: Refused, home: Path) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "letter.txt").write_text("dear")

    assert "it exists already and is not empty" in refused("load -e inline --rate 5 --out mine")
    assert [path.name for path in (home / "mine").iterdir()] == ["letter.txt"]
