"""Folders that a report is made of: real ones, small; and the page, taken apart."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bakeoff.cli.main import run

_LOAD = Path(__file__).parents[1] / "runs" / "load-format-1.tar.gz"
#: Elements that have no end tag.
_VOID = {"meta", "link", "br", "img", "input"}


class Parsed(HTMLParser):
    """What a page consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.links: set[str] = set()
        self.fetched: list[str] = []
        self.tags: Counter[str] = Counter()
        self.unclosed: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count, and collect what leads elsewhere."""
        about = dict(attrs)
        self.tags[tag] += 1
        if tag not in _VOID:
            self.unclosed.append(tag)
        if about.get("id"):
            self.ids[str(about["id"])] += 1
        for name in ("href", "xlink:href", "src"):
            address = about.get(name)
            if address and address.startswith("#"):
                self.links.add(address[1:])
            elif address and not address.startswith("data:"):
                self.fetched.append(address)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """As in SVG."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.unclosed.pop()

    def handle_endtag(self, tag: str) -> None:
        """Each closes the last one."""
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        """Words."""
        self.text += data


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a crash run, an older load run and contract results, all of ``inline``.

    For the whole session: where files are spread over processes, a package comes and goes many times.
    """
    folder = tmp_path_factory.mktemp("runs")
    quick = ("--engine", "inline", "--count", "30", "--rounds", "1")
    assert run(["run", "--only", "sagas", *quick, "--out", str(folder / "first")]) == 0
    kills = ("--fault", "worker-kill", "--point", "charge_payment.after_effect", "--kills", "2")
    crash = ["crash", "--engine", "inline", *kills, "--deadline", "5", "--out", str(folder / "crash")]
    assert run(crash) == 1  # without an engine an order is lost
    with tarfile.open(_LOAD) as stored:
        stored.extractall(folder / "older", filter="data")
    (folder / "older" / "run").rename(folder / "load")
    (folder / "older").rmdir()
    (folder / "contract.json").write_text(json.dumps(contract()))
    lines = {"kind": "lines", "format": 1, "engines": {"inline": {"signals": 20, "several": 100}}}
    (folder / "lines.json").write_text(json.dumps(lines))
    return folder


@pytest.fixture
def copy(runs: Path, tmp_path: Path) -> Path:
    """To be damaged."""
    return shutil.copytree(runs, tmp_path / "copy")


def contract() -> dict[str, object]:
    """Results of a suite of three tests: passed, failed, not supported."""
    about = {
        "title": "inline (no engine)",
        "versions": {"python": "3.11"},
        "config_class": "ci",
        "settings": {},
        "claims": {"signals": {"support": "absent", "reason": "<nobody> listens"}},
        "survives": [],
    }
    results = {
        "passed": {"status": "passed", "reviewed": "passed", "reason": "", "seconds": 0.1},
        "failed": {"status": "failed", "reviewed": None, "reason": "assert 1 == 2", "seconds": 0.1},
        "not supported": {"status": "not supported", "reviewed": None, "reason": "no <b>", "seconds": 0.0},
    }
    tests = {
        f"test_forward::test_{word.replace(' ', '_')}": {
            "promise": "Steps act in order.",
            "needs": [],
            "results": {"inline": result},
        }
        for word, result in results.items()
    }
    return {"format": 1, "engines": {"inline": about}, "tests": tests}
