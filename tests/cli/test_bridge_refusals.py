"""Bridges, services and events that cannot be: one clear line, exit code 2, nothing started, nothing left."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bakeoff.bridge.awaited import events_of_nobody
from bakeoff.cli.main import run
from bakeoff.cli.state import Running, held_state, write_state
from bakeoff.deployment import Deployment
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from tests.cli.conftest import Refused

_UP = "up --engine celery --bridge"
_RUN = "run --engine inline --only sagas --count 1 --no-report --bridge"


@pytest.mark.parametrize("line", [_UP, _RUN])
@pytest.mark.parametrize(
    ("bridge", "reason"),
    [
        ("natz", r"--bridge natz: there is no such bridge; give in-process, nats, .*Did you mean 'nats'\?"),
        ("in_process", r"there is no such bridge.*Did you mean 'in-process'\?"),
        (
            "amqp://joe:secret@h:5672",
            r"--bridge amqp://\.\.\.: no bridge has such URLs; give in-process, nats",
        ),
        ("joe:secret@h:4222", r"--bridge \*\*\*@h:4222: there is no such bridge.*nats://host:port"),
        ("nats://", r"--bridge nats://: it names no server; write nats://host:port"),
        ("nats://joe:secret@h:port", r"nats://\*\*\*@h:port: it names no server"),
        ("nats://h:4222/a/b", r"--bridge \.\.\./a/b: a prefix is like purista"),
        ("nats://h:4222/pur.ista", r"--bridge \.\.\./pur\.ista: a prefix is like purista"),
    ],
)
def test_bridges_that_cannot_be(refused: Refused, line: str, bridge: str, reason: str) -> None:
    message = refused([*line.split(), bridge])

    assert re.search(reason, message), message
    assert "secret" not in message


def test_a_server_of_the_users_own_that_does_not_answer(refused: Refused) -> None:
    message = refused(f"{_UP} nats://joe:secret@127.0.0.1:1")

    assert re.search(r"no nats answers at nats://\*\*\*@127\.0\.0\.1:1 ", message), message
    assert "secret" not in message


def test_nothing_is_killed_on_a_bridge_of_the_users_own(refused: Refused) -> None:
    message = refused("crash --engine inline --bridge nats://joe:secret@127.0.0.1:4222 --kills 1")

    assert "--bridge URL: nothing is killed on a server that bakeoff did not start" in message
    assert "secret" not in message


@pytest.mark.parametrize("missing", ["nats", "server"])
def test_a_bridge_that_is_not_installed_names_the_installing_command(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing == "nats":
        for module in [name for name in sys.modules if name.split(".")[0] == "nats"]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, "nats", None)
    else:
        monkeypatch.setattr("bakeoff.servers.nats.shutil.which", lambda name: None)
        monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert 'pip install "bakeoff[nats]"' in refused(f"{_UP} nats")


@contextmanager
def _up(home: Path, bridge: str) -> Iterator[None]:
    """A deployment, as ``bakeoff up`` writes it down."""
    deployment = Deployment(
        engine="celery",
        settings=resolve("celery", Plugins().engine("celery").info().settings, ConfigClass.RECOMMENDED),
        addresses={"broker": "redis://127.0.0.1:1/0", "bridge": "nats://127.0.0.1:1"},
        world_url=f"sqlite:///{home / 'world.db'}",
        bridge=bridge,
    )
    file = home / "deployment.json"
    deployment.save(file)
    with held_state(home / ".bakeoff") as folder:
        host, files = socket.gethostname(), {"celery": str(file)}
        write_state(folder, Running(pid=os.getpid(), host=host, deployments=files, pages={}))
        yield


@pytest.mark.parametrize(
    ("bridge", "line", "reason"),
    [
        (
            "in-process",
            "serve",
            r"celery is up without a bridge.*bring it up with `bakeoff up --bridge nats`",
        ),
        ("nats", "serve PaymentServic", r"service 'PaymentServic' is not known; known: EmailService, Inv"),
        ("nats", "serve PaymentService paymentService", r"service 'paymentService' is not known"),
        ("nats", "serve --processes 0", r"Invalid value for '--processes'"),
    ],
)
def test_services_that_cannot_be_served(
    refused: Refused, home: Path, bridge: str, line: str, reason: str
) -> None:
    with _up(home, bridge):
        message = refused(line)

    assert re.search(reason, message), message


_TYPO = """\
from bakeoff import Saga, Step, Wait

def pay(call): return None

SAGA = Saga("typo", (Step(name="pay", action=pay), Wait(name="{name}", event="{event}")))
"""


@pytest.mark.parametrize(
    ("event", "hint"),
    [("deliveryConfirmd", "did you mean 'deliveryConfirmed'?"), ("moonRisen", "somebody else must")],
)
def test_up_names_events_that_no_service_emits(
    home: Path, capfd: pytest.CaptureFixture[str], event: str, hint: str
) -> None:
    """A saga would wait for them in silence. Here the bridge is not there either, so nothing comes up."""
    home.joinpath(f"typo_{event}.py").write_text(_TYPO.format(name="it", event=event))
    code = run(["up", "-e", "celery", "--saga", f"typo_{event}:SAGA", "--bridge", "nats://127.0.0.1:1"])

    printed = capfd.readouterr().err
    assert code == 2
    told = f"warning: no service here emits the event {event!r}, awaited by typo; {hint}"
    assert printed.splitlines().count(told) == 1, printed
    assert printed.count("warning: no service here emits") == 1


def test_only_events_that_nobody_emits_are_named() -> None:
    """The carrier's is a command of the shipping service; a user verifies at a place that is none of ours."""
    assert events_of_nobody(["bakeoff.orders"]) == []
    (line,) = events_of_nobody(["bakeoff.orders", "bakeoff.business"])
    assert "the event 'userVerified'" in line
    assert "awaited by onboarding, onboarding-days; " in line
