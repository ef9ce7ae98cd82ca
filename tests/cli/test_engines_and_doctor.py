"""``bakeoff engines`` tells what engines declare; ``bakeoff doctor`` tries for real."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from bakeoff.cli.main import run
from bakeoff.engine import Capability
from bakeoff.errors import EngineUnavailableError
from bakeoff.plugins import Plugins
from tests.cli.terminal import Terminal


def _engines(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["engines", *arguments]) == 0
    return capfd.readouterr().out


def test_the_matrix_holds_every_capability_of_every_engine(capfd: pytest.CaptureFixture[str]) -> None:
    lines = _engines(capfd).splitlines()
    header = next(line for line in lines if line.startswith("capability"))
    names = header.split()[1:]
    matrix = {line.split()[0]: line.split()[1:] for line in lines if line.split()[:1] and "  " in line}

    assert names == Plugins().engine_names()
    for capability in Capability:
        claims = [str(Plugins().engine(name).info().claims[capability].support) for name in names]
        assert matrix[str(capability)] == claims, capability


def test_what_is_not_native_comes_with_its_reason(capfd: pytest.CaptureFixture[str]) -> None:
    printed = " ".join(_engines(capfd).split())
    for name in Plugins().engine_names():
        for claim in Plugins().engine(name).info().claims.values():
            if claim.support != "native":
                # Cells of a table are broken into lines; words stay in order within the first few.
                assert " ".join(claim.reason.split()[:3]) in printed


def test_one_engine_shows_its_settings(capfd: pytest.CaptureFixture[str]) -> None:
    printed = _engines(capfd, "--engine", "temporal")

    assert "temporal.poll_rps" in printed
    assert "BAKEOFF_TEMPORAL_ADDRESS" in printed
    assert "dramatiq" not in printed


def test_json_says_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    told = json.loads(_engines(capfd, "--json"))

    assert [one["name"] for one in told["engines"]] == Plugins().engine_names()
    assert all(set(one["capabilities"]) == set(map(str, Capability)) for one in told["engines"])
    assert {"valkey", "rabbitmq", "temporal dev server", "postgresql"} <= {s["kind"] for s in told["servers"]}


def test_a_missing_server_is_named_with_the_installing_command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> tuple[str, str]:
        raise EngineUnavailableError("rabbitmq-server is missing: install it like this")

    monkeypatch.setattr("bakeoff.servers.rabbitmq.rabbitmq_programs", missing)

    told = {one["kind"]: one["missing"] for one in json.loads(_engines(capfd, "--json"))["servers"]}

    assert told["rabbitmq"] == "rabbitmq-server is missing: install it like this"
    assert told["valkey"] is None


@pytest.mark.service
def test_doctor_finds_this_machine_healthy_and_leaves_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    code = run(["doctor", "--json"])
    findings = {one["subject"]: one for one in json.loads(capfd.readouterr().out)}

    assert [one for one in findings.values() if one["verdict"] != "ok"] == []
    assert code == 0
    assert {"system", "temporary folder", "ports", "open files", "clock", "memory"} <= set(findings)
    tried = [one for one in findings.values() if one["seconds"] is not None]
    assert len(tried) >= 3
    assert all(one["verdict"] == "ok" and "starts, answers and stops" in one["detail"] for one in tried)
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.service
@pytest.mark.parametrize(("taken", "code"), [("preferred", 0), ("random", 1)])
def test_a_port_that_people_expect_may_be_somebody_elses_after_the_stop(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, taken: str, code: int
) -> None:
    """Temporal's web UI: whoever starts a server of their own meanwhile gets it. A port by chance is ours."""
    expected = 8233
    monkeypatch.setattr(
        "bakeoff.cli.checkup.port_is_free", lambda port: (port == expected) == (taken == "random")
    )
    monkeypatch.setattr("bakeoff_temporal.server.TemporalServer.preferred_ports", lambda _: {"ui": expected})

    assert run(["doctor", "--engine", "temporal", "--json"]) == code
    told = capfd.readouterr().out
    assert ("still holds port" in told) is bool(code)


@pytest.mark.service
def test_doctor_says_why_a_server_does_not_start(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\necho wrong kind of CPU\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("bakeoff.servers.valkey.valkey_binary", lambda: str(broken))

    def missing() -> tuple[str, str]:
        raise EngineUnavailableError("rabbitmq-server is missing: install it like this")

    monkeypatch.setattr("bakeoff.servers.rabbitmq.rabbitmq_programs", missing)

    assert run(["doctor", "--engine", "dramatiq"]) == 1

    printed = capfd.readouterr().out
    assert "failed   server valkey" in printed
    assert "ended at once (exit code 3)" in printed
    assert "wrong kind of CPU" in printed
    assert "install it like this" in printed
    assert "checks failed." in printed


@pytest.mark.service
@pytest.mark.parametrize(("limit", "verdict", "code"), [(512, "warning", 0), (128, "failed", 1)])
def test_doctor_counts_the_files_that_may_be_open(
    terminal: Terminal, limit: int, verdict: str, code: int
) -> None:
    done = terminal.run(f"ulimit -n {limit}; bakeoff doctor --engine inline --json")
    told = {one["subject"]: one for one in json.loads(done.stdout)}

    assert told["open files"]["verdict"] == verdict
    assert told["open files"]["advice"] == "ulimit -n 4096"
    assert done.returncode == code


def test_doctor_needs_a_folder_for_temporary_files(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
        assert run(["doctor"]) == 1

    printed = capfd.readouterr().out
    assert "failed   temporary folder: cannot be written" in printed
    assert "set TMPDIR" in printed
    assert "server valkey" not in printed, "nothing is started where nothing can be written"


def test_doctor_fails_for_an_engine_asked_for_by_name_that_cannot_be_loaded(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for module in [name for name in sys.modules if name.split(".")[0] == "temporalio"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "temporalio", None)

    assert run(["doctor", "--engine", "temporal"]) == 1
    printed = capfd.readouterr().out
    assert "failed   engine temporal: cannot be loaded" in printed
    assert 'pip install "bakeoff[temporal]"' in printed
