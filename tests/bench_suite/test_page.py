"""The commands of ``docs/benchmarks.md``, run as they stand there, with fewer rounds and files elsewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.bench_suite.suite import ROOT, run
from tests.engines.dramatiq_stack import require
from tests.tiers import one_of, thorough

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]

PAGE = (ROOT / "docs/benchmarks.md").read_text()
BLOCKS = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]


def _argv(line: str, folder: Path) -> list[str]:
    """What is written goes into ``folder``; a benchmark makes one round."""
    argv = [re.sub(r"(?<![\w/])(\w+\.json|histogram$)", rf"{folder}/\1", word) for word in shlex.split(line)]
    if argv[0] == "pytest":
        argv += ["--rounds=1", "--warm-up=0", "-p", "no:cacheprovider"]
        argv += ["--duration=6"] if "--scenario" in argv else []
        if "-k" not in argv:  # that all of them work is seen on inline, by ``test_bench_suite``
            argv += ["-k", "one_saga or signal"]
    return argv


def test_the_page_has_the_blocks_that_these_tests_expect() -> None:
    assert [len(block) for block in BLOCKS] == [5, 3]
    assert BLOCKS[0][0] == "pytest bench"


@pytest.mark.parametrize("line", one_of(BLOCKS[0][1:], BLOCKS[0][1]))
def test_engines(line: str, tmp_path: Path) -> None:
    """The first line is what ``test_bench_suite`` begins with."""
    require("rabbitmq" if "rabbitmq" in line else "")
    done = run(_argv(line, tmp_path), timeout_s=500)
    if "test_load" in line and "no round counts: " in done.stdout:
        return  # void, on a machine that was too busy to offer the load

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)


@thorough
def test_two_files_and_a_histogram(tmp_path: Path) -> None:
    """Both runs of a benchmark come under one heading."""
    done = [run(_argv(line, tmp_path), timeout_s=300) for line in BLOCKS[1]]

    assert [one.returncode for one in done] == [0, 0, 0], [one.stdout + one.stderr for one in done]
    histograms = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert len(histograms) == 2
    assert "test_start[dramatiq[valkey" in (tmp_path / histograms[-1]).read_text()
    heading = next(line for line in done[2].stdout.splitlines() if "benchmark 'one saga'" in line)
    assert "2 tests" in heading
    assert len(re.findall(r"test_one_saga\[dramatiq\[valkey,recommended\]\]", done[2].stdout)) == 2
