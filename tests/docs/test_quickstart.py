"""``docs/quickstart.md``, its command lines run as they stand there, for one engine and few orders."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.tiers import thorough

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs/quickstart.md").read_text()
BLOCKS = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", _PAGE, re.DOTALL)]
_PATIENCE_S = 240.0


def _extras() -> dict[str, list[str]]:
    found: dict[str, list[str]] = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    return found


def test_the_page_has_the_blocks_that_are_tested_here() -> None:
    assert [len(block) for block in BLOCKS] == [3, 1, 1, 2, 1]


def test_it_installs_what_there_is() -> None:
    """The install that the README's set-up command makes, too; and every extra is explained."""
    _, _, install = BLOCKS[0]
    listed = re.findall(r"^\| `(\w+)` \|", _PAGE, re.MULTILINE)

    assert install in (_ROOT / "README.md").read_text().replace("install -q", "install")
    assert sorted(listed) == sorted(_extras())
    assert set(re.findall(r"\w+", shlex.split(install)[-1])) <= set(_extras())


@thorough  # its commands are run one by one by other tests
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(500)
def test_from_nothing_to_a_decision(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    (run,), (contract,), (init, decide), (stored,) = BLOCKS[1:]

    ran = terminal.run(f"{run} --engine inline --count 12", _PATIENCE_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (terminal.folder / "runs/first/report.html").exists()

    asked = terminal.run(f"{contract.replace('celery', 'inline')} -k test_start", _PATIENCE_S)
    assert asked.returncode == 0, asked.stdout
    assert (terminal.folder / "contract.json").exists()

    written = terminal.run(f"yes '' | {init}")
    assert written.returncode == 0, written.stderr
    for line in (decide, stored.replace("docs/", f"{_ROOT}/docs/")):
        decided = terminal.run(line)
        assert decided.returncode in (0, 1), decided.stderr
        assert "Recommendation:" in decided.stdout
