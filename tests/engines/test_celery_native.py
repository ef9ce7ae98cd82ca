"""The hand-written yardstick is a saga: it also goes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.engines.test_dramatiq_brokers import foreign_valkey

pytestmark = pytest.mark.service

#: Every third saga is declined at its third step, every third one finds its second step broken.
BODY = """
import os
from bakeoff_bench.native.celery_saga import Declined

def act(step, saga_id, attempt):
    with open(os.environ["STORY"], "a") as story:
        story.write(f"{saga_id} {step} {attempt}\\n")
    kind = int(saga_id.rpartition("-")[2]) % 3
    if kind == 1 and step == "create_shipment":
        raise Declined("no")
    if kind == 2 and step == "charge_payment":
        raise RuntimeError("broken")
"""

FORWARD = ["reserve_inventory 1", "charge_payment 1", "create_shipment 1", "send_confirmation 1"]
DECLINED = [*FORWARD[:3], "refund_payment 1", "release_inventory 1"]
BROKEN = [
    *("reserve_inventory 1", "charge_payment 1", "charge_payment 2", "charge_payment 3"),
    *("refund_payment 1", "release_inventory 1"),
]


def test_native_runs_sagas_forward_and_back(tmp_path: Path) -> None:
    (tmp_path / "native_body.py").write_text(BODY)
    story = tmp_path / "story"
    with foreign_valkey(tmp_path / "servers") as url:
        answer = subprocess.run(
            [
                *(sys.executable, "-m", "bakeoff_bench.native.celery_native", "--broker", url),
                *("--sagas", "12", "--warm-up", "0", "--in-flight", "4", "--body", "native_body:act"),
            ],
            env={**os.environ, "PYTHONPATH": str(tmp_path), "STORY": str(story)},
            capture_output=True,
            text=True,
            check=True,
            timeout=90,
        )

    result = json.loads(answer.stdout)
    assert result["sagas"] == 12
    assert result["sagas_per_s"] > 0
    assert 0 < result["p50_ms"] <= result["p95_ms"]
    stories: dict[str, list[str]] = defaultdict(list)
    for line in story.read_text().splitlines():
        saga_id, _, rest = line.partition(" ")
        stories[saga_id].append(rest)
    assert len(stories) == 12
    for saga_id, steps in stories.items():
        kind = int(saga_id.rpartition("-")[2]) % 3
        assert steps == (FORWARD, DECLINED, BROKEN)[kind]
