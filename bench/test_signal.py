"""A saga that waits is told to go on."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bakeoff.engine import EngineClient, Signals
from bakeoff.expectation import Facts
from bakeoff.world import Aim
from bakeoff_bench.crash.moments import until_moment
from bakeoff_bench.crash.points import Moment
from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.facts import spread
from bakeoff_bench.suite.sagas import GO, SIGNALLED
from bakeoff_bench.suite.site import PATIENCE_S, Sent, Site, finish


def test_signal(bench: Bench) -> None:
    """From the signal to the word about the saga, which makes one step after it."""
    bench.needs(SIGNALLED)
    accepted_s: dict[str, float] = {}

    proofs = bench.sagas(
        "signal, round trip",
        prepare=lambda: _waiting(bench.site),
        act=lambda one: bench.site.do(_Signal(one, accepted_s)),
        rounds=20,
        warm_up=3,
    )

    for proof in proofs:
        assert proof.sent.outcome is not None
        assert proof.sent.outcome.results[GO] == _payload(proof.sent)
    bench.tell(accepted_s=spread(accepted_s[proof.sent.workflow_id] for proof in proofs))


def _waiting(site: Site) -> Sent:
    """A saga that has come to its wait, half a second ago at least."""
    one = site.prepare(SIGNALLED, facts=Facts(signals=frozenset({GO})))
    site.start(one)
    aim = Aim(GO, "action", Moment.WHILE_WAITING)
    world = site.stack.world
    at = site.do(lambda _: until_moment(world, SIGNALLED, one.workflow_id, aim, PATIENCE_S))
    assert at is not None, f"{one.workflow_id} did not come to its wait"
    return one


def _payload(one: Sent) -> dict[str, str]:
    return {"for": one.workflow_id}


@dataclass(frozen=True, slots=True)
class _Signal:
    """Sends the signal, notes when it was taken, and waits for the end."""

    one: Sent
    accepted_s: dict[str, float]

    async def __call__(self, client: EngineClient) -> None:
        assert isinstance(client, Signals)
        began_s = time.perf_counter()
        taken = await client.signal(self.one.workflow_id, GO, "signal-1", _payload(self.one))
        assert taken, f"{self.one.workflow_id}: the engine says that it had the signal before"
        self.accepted_s[self.one.workflow_id] = time.perf_counter() - began_s
        await finish(client, self.one)
