"""What others do on the machine is seen, and counts against the round and not against the engine."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil

from bakeoff_bench.load.bystanders import Beside, Bystanders

_WORK = "import time\nwhile time.process_time() < 0.6: pass\nprint(time.process_time(), flush=True)\ninput()"


def test_a_stranger_is_seen_and_whoever_is_ours_is_not() -> None:
    began_s, watch = time.monotonic(), Bystanders()
    with subprocess.Popen(
        [sys.executable, "-c", _WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout is not None
        used_s = float(stranger.stdout.readline())
        as_stranger, as_ours = watch.seen(ours_s=0.0), watch.seen(ours_s=used_s)
        available_s = (time.monotonic() - began_s) * (psutil.cpu_count() or 1)
        stranger.communicate("\n")

    assert as_stranger.others * available_s > used_s / 2
    assert as_ours.others < as_stranger.others


def test_a_machine_that_others_use_voids_the_round() -> None:
    assert Beside(others=0.04, stolen=0.2).void() == []
    assert Beside(others=0.31, stolen=None).void() == [
        "other processes used 31% of this machine's CPUs meanwhile"
    ]
