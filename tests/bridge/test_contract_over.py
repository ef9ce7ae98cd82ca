"""``pytest --engine --bridge``: the result says over which bridge, and is compared, never stored."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ONE = "all_steps_act_once"


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--engine=inline", "-k", _ONE, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.service
@pytest.mark.parametrize("bridge", ["in-process", "nats"])
def test_the_result_says_over_which_bridge(tmp_path: Path, bridge: str) -> None:
    """The column is the same: what was reviewed without a bridge must hold over one."""
    result, reviewed = tmp_path / "result.json", tmp_path / "reviewed.json"
    reviewed.write_text(json.dumps({"inline": {"test_forward::test_all_steps_act_once_in_order": "failed"}}))
    done = _run("--bridge", bridge, "--contract-json", str(result), "--contract-reviewed", str(reviewed))

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_all_steps_act_once_in_order on inline: passed, but reviewed as failed" in done.stdout
    assert ("inline: over nats, compared with what was reviewed without" in done.stdout) is (bridge == "nats")
    (about,) = json.loads(result.read_text())["engines"].values()
    assert about["bridge"] == bridge


def test_what_was_found_over_a_bridge_is_not_stored(tmp_path: Path) -> None:
    """One line, and nothing has run."""
    reviewed = tmp_path / "reviewed.json"
    reviewed.write_text("{}\n")
    done = _run("--bridge", "nats", "--contract-store", "--contract-reviewed", str(reviewed))

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    assert line.startswith("ERROR: --contract-store --bridge nats: the reviewed matrix is of steps without")
    assert "passed" not in done.stdout
    assert reviewed.read_text() == "{}\n"
