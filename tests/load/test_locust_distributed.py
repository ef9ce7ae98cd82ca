"""A master and workers that share nothing but Locust's connection, as on machines of their own."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from bakeoff_bench.load.folder import load_samples
from tests.load.locusts import DRAMATIQ, TEMPORAL, accounted, cluster, code_of, row, sent
from tests.processes.traces import until
from tests.steady import TRIES, stood_still
from tests.tiers import more, thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.mark.parametrize(("engine", "rate"), [(DRAMATIQ, 8), more(TEMPORAL, 2)], ids=["dramatiq", "temporal"])
def test_samples_of_workers_elsewhere_reach_the_master(
    tmp_path: Path, engine: Sequence[str], rate: int
) -> None:
    """A ledger over the network, as several machines need it; what the workers wrote is nowhere else."""
    load = ["--duration", "8", "--warm-up", "1", "--ledger", "postgres", "--out", "kept"]
    for number in range(TRIES):
        with cluster(tmp_path / str(number), [*engine, "--rate", str(rate), *load]) as (master, workers):
            said = master.end()
            codes = [worker.process.wait(30) for worker in workers]
        if not stood_still(said):
            break
    kept = [load_samples(folder) for folder in sorted(master.folder.glob("kept/load-1/generator-*"))]

    assert master.process.returncode == code_of(said), said
    assert codes == [0, 0], [worker.said for worker in workers]
    assert len(sent(said)) == 2
    assert min(sent(said)) > rate
    assert sum(sent(said)) == accounted(said)
    assert [len(samples) for samples in kept] == sent(said)
    ids = {one.workflow_id for samples in kept for one in samples}
    assert len(ids) == sum(sent(said)), "nobody did the other's share"
    assert int(row(said, "order-accepted")[0]) == sum(one.intended_s >= 1 for part in kept for one in part)
    for one in (master, *workers):
        assert "Traceback" not in one.said
        assert list(one.temporary.iterdir()) == [], "credentials, perhaps"


@thorough
def test_a_worker_that_leaves_without_a_word_is_told(tmp_path: Path) -> None:
    """What it had sent by then is kept, the other one goes on, and nobody waits for ever."""
    with cluster(tmp_path, ["--engine", "inline", "--rate", "8", "--duration", "8"]) as (master, workers):
        until(lambda: _parts_of_both(master.files("*/load-1/*/samples.jsonl")), "both have sent", 100)
        workers[0].process.send_signal(signal.SIGKILL)
        said = master.end()
        other = workers[1].process.wait(30)

    assert re.search(
        r"^bakeoff: generator [01]: it left without a word; what it had sent is kept$", said, re.M
    )
    assert master.process.returncode == 2, said
    assert other == 0, workers[1].said
    few, all_of_it = sorted(sent(said))
    assert 0 < few < all_of_it
    assert "it did not come to its end, so there are no numbers" in said
    assert re.search(r"^ledger: (valid|unknown); ", said, re.M), said
    assert "Traceback" not in said


@thorough
def test_ctrl_c_at_the_master(tmp_path: Path) -> None:
    """What its workers had started is known and judged; they end, too."""
    with cluster(tmp_path, [*DRAMATIQ, "--rate", "8", "--duration", "60"]) as (master, workers):
        until(lambda: _parts_of_both(master.files("*/load-1/*/samples.jsonl")), "both have sent", 100)
        master.process.send_signal(signal.SIGINT)
        said = master.end()
        codes = [worker.process.wait(30) for worker in workers]

    assert "it did not come to its end, so there are no numbers" in said
    assert accounted(said) == sum(sent(said)) > 0
    assert (master.process.returncode, codes) == (0, [0, 0]), said
    for one in (master, *workers):
        assert "Traceback" not in one.said
        assert list(one.temporary.iterdir()) == []


def _parts_of_both(files: list[Path]) -> bool:
    return len({file.parent.name for file in files}) == 2
