"""``docs/faults.md`` names every fault; the plug-in of ``docs/write-a-fault.md`` works."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.nemesis import Fault, Need, Target, bakeoff_faults
from tests.cli.terminal import Terminal
from tests.tiers import thorough

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/faults.md").read_text()
WRITE = (ROOT / "docs/write-a-fault.md").read_text()
EXAMPLE = ROOT / "docs/examples/broker-full"
_BLOCK = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_LINES = [line for block in WRITE.split("```sh\n")[1:] for line in block.split("```")[0].splitlines()]


@pytest.mark.parametrize("fault", bakeoff_faults(), ids=lambda fault: fault.name)
def test_every_fault_has_a_row(fault: Fault) -> None:
    assert f"\n| `{fault.name}` | " in PAGE
    assert fault.description


@pytest.mark.parametrize("need", list(Need))
def test_every_need_is_explained(need: Need) -> None:
    assert f"\n| `{need.name}` | " in WRITE


def test_everything_that_a_target_has_is_explained() -> None:
    cells = " ".join(line.split("|")[1] for line in WRITE.splitlines() if line.startswith("| `"))
    names = [name for name in (*Target.__dataclass_fields__, *vars(Target)) if not name.startswith("_")]

    assert [name for name in names if not re.search(rf"`{name}[`(]", cells)] == []


def test_page_shows_the_example_as_it_is() -> None:
    files = [path for path in EXAMPLE.iterdir() if path.suffix in (".py", ".toml")]

    assert dict(_BLOCK.findall(WRITE)) == {path.name: path.read_text() for path in files}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built and installed into a folder of its own."""
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "broker-full")
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder), str(source)], check=True, timeout=100)
    return folder


@pytest.fixture
def terminal(installed: Path, tmp_path: Path) -> Terminal:
    """Somebody who has installed it, in the folder of its source."""
    terminal = Terminal(tmp_path, {"PYTHONPATH": str(installed)})
    shutil.copy(EXAMPLE / "test_broker_full.py", terminal.folder)
    return terminal


@thorough
@pytest.mark.service
@pytest.mark.slow
def test_the_example_is_found_and_does_what_the_page_says(terminal: Terminal) -> None:
    line = _LINES[0]
    done = terminal.run(line, 110)

    assert shlex.split(line)[:2] == ["bakeoff", "crash"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 clean" in done.stdout
    assert terminal.leftovers() == []


@pytest.mark.service
@pytest.mark.slow
def test_the_tests_of_the_example_pass(terminal: Terminal) -> None:
    done = terminal.run(_LINES[1], 110)

    assert _LINES[1:] == ["pytest test_broker_full.py"]
    assert done.returncode == 0, done.stdout
    assert " 4 passed" in done.stdout


@pytest.mark.service
def test_where_it_cannot_be_done_it_says_so(terminal: Terminal) -> None:
    words = "crash --engine temporal --config ci --fault broker-full --point charge_payment.after_effect"
    done = terminal.run([*words.split(), "--kills", "1"])

    assert "temporal dev server has another way of running out of memory" in done.stdout, done.stderr
