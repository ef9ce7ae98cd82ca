"""``docs/write-an-engine.md`` leads to a working plug-in: its code is installed and put to the contract."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests/example_engine"
_BLOCK = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


def test_page_shows_the_package_as_it_is() -> None:
    shown = dict(_BLOCK.findall((ROOT / "docs/write-an-engine.md").read_text()))

    files = [path for path in EXAMPLE.rglob("*") if path.suffix in (".py", ".toml")]
    assert shown == {str(path.relative_to(EXAMPLE)): path.read_text() for path in files}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_package_installs_and_keeps_its_promises(tmp_path: Path) -> None:
    packages, elsewhere, result = tmp_path / "packages", tmp_path / "elsewhere", tmp_path / "result.json"
    elsewhere.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(packages), str(EXAMPLE)], check=True, timeout=100)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--engine=threads", "--contract-json", str(result), "-q"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout
    found = json.loads(result.read_text())
    statuses = [entry["results"]["threads"]["status"] for entry in found["tests"].values()]
    assert set(statuses) == {"passed", "not supported"}
    assert statuses.count("passed") >= 50
    assert found["engines"]["threads"]["claims"]["cancel"]["support"] == "absent"
