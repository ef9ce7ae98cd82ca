"""``docs/faults.md`` names every fault, and its example is a plug-in that works."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from bakeoff.nemesis import Fault, Need, bakeoff_faults
from bakeoff.plugins import FAULTS_GROUP, Plugins
from tests.crash.struck import site

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/faults.md").read_text()
EXAMPLE = ROOT / "tests/example_fault"
_BLOCK = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("fault", bakeoff_faults(), ids=lambda fault: fault.name)
def test_every_fault_has_a_row(fault: Fault) -> None:
    assert f"\n| `{fault.name}` | " in PAGE
    assert fault.description


@pytest.mark.parametrize("need", list(Need))
def test_every_need_is_explained(need: Need) -> None:
    assert f"\n| `{need.name}` | " in PAGE


def test_page_shows_the_example_as_it_is() -> None:
    files = [path for path in EXAMPLE.iterdir() if path.suffix in (".py", ".toml")]

    assert dict(_BLOCK.findall(PAGE)) == {path.name: path.read_text() for path in files}


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fault:
    """The example's fault, found as an installed plug-in is."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    shutil.copy(EXAMPLE / "bakeoff_stutter.py", tmp_path)
    installed = tmp_path / "bakeoff_stutter-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    entries = [f"{name} = {module}" for name, module in project["entry-points"][FAULTS_GROUP].items()]
    (installed / "entry_points.txt").write_text("\n".join([f"[{FAULTS_GROUP}]", *entries]))
    monkeypatch.syspath_prepend(str(tmp_path))
    return Plugins().faults()["server-stutter"]


@pytest.mark.service
def test_the_example_is_found_and_does_what_it_says(example: Fault, tmp_path: Path) -> None:
    with site(tmp_path / "stack", "dramatiq") as there:
        struck = there.do(example)

        assert struck.landing.seen == "processes stopped: 1"
        assert struck.landing.ended == ()
        assert there.stopped() == []
        struck.completes()
