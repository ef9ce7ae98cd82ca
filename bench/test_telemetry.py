"""What spans cost: the same orders with and without them, turn by turn on two deployments side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import psutil
import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.errors import EngineUnavailableError
from bakeoff.orders import ORDER
from bakeoff.telemetry import check_otlp
from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.facts import about
from bakeoff_bench.suite.proof import prove
from bakeoff_bench.suite.receiver import receiving
from bakeoff_bench.suite.site import Sent, Site, closed_loop, running_site
from bakeoff_bench.suite.stage import Stage

#: Orders of one batch, and how many of them are in flight.
BATCH, IN_FLIGHT = 64, 16
#: Spans leave every two seconds.
_EXPORTED_WITHIN_S = 2.5


def test_telemetry(
    bench: Bench, contestant: Contestant, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """A round is a batch on each deployment; whose is first changes. The time is that of both."""
    bench.needs(ORDER)
    stage.clear()  # a third one would take their turns
    turns: list[dict[bool, Turn]] = []
    with ExitStack() as cleanup:
        url = cleanup.enter_context(receiving())
        try:
            check_otlp(url)
        except EngineUnavailableError as error:
            pytest.skip(str(error))
        plain = cleanup.enter_context(running_site(contestant))
        traced = cleanup.enter_context(running_site(contestant, otlp=url))
        sides = [plain, traced]

        def prepare() -> list[tuple[Site, list[Sent]]]:
            sides.reverse()
            return [(site, site.order_sagas(BATCH)) for site in sides]

        def act(batches: list[tuple[Site, list[Sent]]]) -> None:
            turns.append({site is traced: take_turn(site, batch) for site, batch in batches})

        measured = bench.time(
            "telemetry",
            prepare=prepare,
            act=act,
            check=lambda batches: [prove(site, batch) for site, batch in batches],
            rounds=10,
            warm_up=2,
        )
        counted = turns[-len(measured) :]
        seconds = of_pairs(pair[True].seconds / pair[False].seconds for pair in counted)
        cpu = of_pairs(pair[True].cpu_s / pair[False].cpu_s for pair in counted)
        cpu_ms = 1000 * statistics.median(pair[True].cpu_s - pair[False].cpu_s for pair in counted) / BATCH
        bench.tell(
            **about(traced),
            load=f"closed loop, {IN_FLIGHT} of {BATCH} in flight",
            sagas=len(measured) * 2 * BATCH,
            ratio=seconds,
            cpu_ratio=cpu,
            cpu_ms_per_saga=cpu_ms,
        )
    with capsys.disabled():
        print(
            f"\n{contestant.label}, with spans against without, {len(counted)} pairs (median, least, most):"
        )
        print("  time {p50:.3f} ({min:.3f} to {max:.3f})".format(**seconds))
        print("  CPU  {p50:.3f} ({min:.3f} to {max:.3f}), ".format(**cpu) + f"{cpu_ms:+.2f} ms per saga")


@dataclass(frozen=True, slots=True)
class Turn:
    """One batch on one deployment: seconds, and CPU seconds of client and workers until all is exported."""

    seconds: float
    cpu_s: float


def take_turn(site: Site, batch: list[Sent]) -> Turn:
    """Drive a batch, then let the last spans go, so that they are on the right bill."""
    cpu_s, began_s = cpu_of(site), time.perf_counter()
    site.do(partial(closed_loop, batch=batch, in_flight=IN_FLIGHT))
    seconds = time.perf_counter() - began_s
    time.sleep(_EXPORTED_WITHIN_S)
    return Turn(seconds, cpu_of(site) - cpu_s)


def cpu_of(site: Site) -> float:
    """Seconds of this process, which is the client's, and of the deployment's workers; no server's."""
    leaders = site.stack.workers.children if site.stack.workers is not None else []
    processes = [psutil.Process(leader.pid) for leader in leaders]
    processes += [child for one in list(processes) for child in one.children(recursive=True)]
    return time.process_time() + sum(sum(one.cpu_times()[:2]) for one in processes)


def of_pairs(ratios: Iterable[float]) -> dict[str, float]:
    """``{"n", "p50", "min", "max"}``."""
    found = list(ratios)
    return {"n": len(found), "p50": statistics.median(found), "min": min(found), "max": max(found)}
