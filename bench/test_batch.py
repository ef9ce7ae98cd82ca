"""Many orders at once."""

from __future__ import annotations

from bakeoff.orders import ORDER
from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.facts import about, of_sagas, spread
from bakeoff_bench.suite.proof import Proof, prove
from bakeoff_bench.suite.site import closed_loop

#: Orders of one batch, and how many of them are in flight.
BATCH, IN_FLIGHT = 64, 16


def test_batch(bench: Bench) -> None:
    """A closed loop: whoever gets an outcome starts the next order. The time is that of the whole batch."""
    bench.needs(ORDER)
    site, proofs = bench.site, list[Proof]()
    bench.tell(**about(site), load=f"closed loop, {IN_FLIGHT} of {BATCH} in flight")

    batches = bench.time(
        f"batch of {BATCH}",
        prepare=lambda: site.order_sagas(BATCH),
        act=lambda batch: site.do(lambda client: closed_loop(client, batch, IN_FLIGHT)),
        check=lambda batch: proofs.extend(prove(site, batch)),
        rounds=5,
        warm_up=1,
    )

    measured = {one.workflow_id for batch in batches for one in batch}
    counted = [proof for proof in proofs if proof.sent.workflow_id in measured]
    bench.tell(
        **of_sagas(counted),
        sagas_per_s=spread(BATCH / seconds for seconds in bench.seconds),
        latency_s=spread(one.sent.ended_s - one.sent.began_s for one in counted),
    )
