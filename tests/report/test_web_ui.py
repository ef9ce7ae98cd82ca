"""Links from stored runs into an engine's own web UI: only while that shows the saga."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from tests.engines.web_ui import web_ui
from tests.report.conftest import Parsed

pytestmark = pytest.mark.service

Capture = pytest.CaptureFixture[str]


def _as_temporal(folder: Path, ui: str | None) -> Path:
    """The run as if it had been Temporal's, on a server of the user's own if it has a web UI."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    about = manifest["engines"].pop("inline")
    assert about["left"] == {"prefix": "", "external": []}
    about["left"] = {"prefix": "mine-", "external": ["temporal"] if ui else []}
    about["settings"] = {"namespace": "default", "ui": ui}
    manifest["engines"]["temporal"] = about
    file.write_text(json.dumps(manifest))
    (folder / "inline").rename(folder / "temporal")
    return folder


def _report(folder: Path, tmp_path: Path) -> Parsed:
    line = ["report", str(folder), "--saga", "order-123", "-o", str(tmp_path / "r.html")]
    assert run(line) == 0
    return Parsed((tmp_path / "r.html").read_text())


def test_a_ui_that_is_still_up_is_linked(copy: Path, tmp_path: Path, capfd: Capture) -> None:
    with web_ui("mine-order-123") as ui:
        folder = _as_temporal(copy / "first", ui)
        page = _report(folder, tmp_path)
        assert run(["trace", str(folder), "order-123"]) == 0

    url = f"{ui}/namespaces/default/workflows/mine-order-123/run-1/history"
    assert page.fetched == [url]
    assert "order-123 in the web UI of temporal" in page.text
    assert f"temporal, web UI: {url}" in capfd.readouterr().out


def test_a_ui_that_is_gone_is_not_linked_and_the_page_says_how_to_get_one(
    copy: Path, tmp_path: Path, capfd: Capture
) -> None:
    folder = _as_temporal(copy / "first", None)
    page = _report(folder, tmp_path)
    assert run(["trace", str(folder), "order-123", "--json"]) == 0

    (traced,) = json.loads(capfd.readouterr().out.partition("\n")[2])
    assert page.fetched == []
    assert "The web UI of temporal: gone with the server that the run had started" in page.text
    assert traced["web_ui"]["url"] == ""
    assert "bakeoff up --engine temporal" in traced["web_ui"]["how"]


def test_an_engine_without_one_says_nothing(runs: Path, tmp_path: Path, capfd: Capture) -> None:
    page = _report(runs / "first", tmp_path)
    assert run(["trace", str(runs / "first"), "order-123"]) == 0

    assert "web UI" not in page.text + capfd.readouterr().out


@pytest.mark.parametrize("left", [[], {"prefix": 3, "external": []}, {"prefix": ""}])
def test_what_cannot_be_read_of_it_is_one_line(copy: Path, tmp_path: Path, capfd: Capture, left: Any) -> None:
    folder = _as_temporal(copy / "first", None)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["engines"]["temporal"]["left"] = left
    (folder / "manifest.json").write_text(json.dumps(manifest))

    assert run(["report", str(folder), "-o", str(tmp_path / "r.html")]) == 2
    assert run(["trace", str(folder), "order-123"]) == 2
    assert capfd.readouterr().err.count("\n") == 2
