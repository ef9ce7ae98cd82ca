"""Without ``--otlp`` no process imports what makes or exports spans."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.telemetry.receiver import receiving
from tests.telemetry.traced import told_by
from tests.tiers import one_of


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.parametrize(
    "engine",
    one_of(["celery", "celery-sagalog", "choreography", "dramatiq", "temporal"], "dramatiq", "temporal"),
)
def test_a_worker_imports_nothing_that_makes_spans(engine: str, tmp_path: Path) -> None:
    assert asyncio.run(told_by(engine, tmp_path, None)) == []


def test_neither_does_a_client(tmp_path: Path) -> None:
    """Nor an engine inside it: all of a run in one process, in which the test's receiver is not."""
    script = (
        "import asyncio, json, sys\n"
        "from pathlib import Path\n"
        "from tests.telemetry.traced import told_by\n"
        "print(json.dumps(asyncio.run(told_by('inline', Path(sys.argv[1]), None))))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == []


def test_the_question_would_notice(tmp_path: Path) -> None:
    """With a receiver the same saga finds the SDK."""
    with receiving() as receiver:
        told = asyncio.run(told_by("inline", tmp_path, receiver.url))

    assert {"bakeoff.telemetry.tracing", "opentelemetry.sdk.trace"} <= set(told)
