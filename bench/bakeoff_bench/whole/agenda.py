"""What a run is to do: which of its parts there are, found out before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bakeoff.cli.options import ChosenEngine
from bakeoff.cli.screen import warn
from bakeoff.errors import UsageError
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.load.extra import check_extra
from bakeoff_bench.load.plan import LoadPlan
from bakeoff_bench.run.plan import Contestant, RunPlan, contestants, expected_seconds
from bakeoff_bench.whole.kills import asked_of
from bakeoff_bench.whole.loads import plan_of
from bakeoff_bench.whole.parts import RunPart, ours


class Agenda:
    """The parts, and what each is to do; ``None``: there is no such part.

    Raises:
        UsageError: If a part that was asked for is impossible, or none is left.
    """

    def __init__(
        self,
        plan: RunPlan,
        saga: str,
        sets: Sequence[str],
        raws: Sequence[str],
        only: Sequence[RunPart],
        *,
        quick: bool,
    ) -> None:
        self.plan = plan
        self.sagas: list[Contestant] | None = None
        self.asked: Asked | None = None
        self.load: LoadPlan | None = None
        self._named = bool(only)
        wanted = tuple(only) or tuple(RunPart)
        if RunPart.SAGAS in wanted:
            self.sagas = contestants(plan)
        mine = self._mine() if RunPart.CRASH in wanted else []
        if mine:
            self.asked = self._or_none(
                RunPart.CRASH,
                lambda: asked_of(
                    mine,
                    saga,
                    plan.saga,
                    sets,
                    raws,
                    plan.seed,
                    bridge=plan.bridge,
                    quick=quick,
                    otlp=plan.otlp,
                ),
            )
        if RunPart.LOAD in wanted and self._can_load():
            self.load = plan_of(
                plan.engines,
                plan.saga,
                plan.references,
                sets,
                raws,
                plan.seed,
                workers=plan.workers,
                slots=plan.slots,
                ledger=plan.ledger,
                bridge=plan.bridge,
                otlp=plan.otlp,
                quick=quick,
            )
            if self.load is None:
                self._leave_out(RunPart.LOAD, "no engine is left that can take it")
        if self.sagas is None and self.asked is None and self.load is None:
            raise UsageError("nothing is left to do: see the warnings above")

    def _mine(self) -> list[ChosenEngine]:
        """The engines whose processes may be killed."""
        mine, theirs = ours(self.plan.engines)
        if theirs:
            names = ", ".join(one.name for one in theirs)
            self._leave_out(RunPart.CRASH, f"{names} has a server of yours, and nothing is killed there")
        if self.plan.bridge.url is not None:
            self._leave_out(RunPart.CRASH, "the bridge's server is yours, and nothing is killed there")
            return []
        if "://" in self.plan.ledger:
            self._leave_out(RunPart.CRASH, "it needs a ledger of its own, and --ledger names yours")
            return []
        return mine

    def _can_load(self) -> bool:
        if "://" in self.plan.ledger:
            self._leave_out(RunPart.LOAD, "it needs a ledger of its own, and --ledger names yours")
            return False
        if self.plan.participants != "idempotent":
            self._leave_out(RunPart.LOAD, "a load is judged with idempotent services")
            return False
        try:
            check_extra()
        except UsageError as error:
            self._leave_out(RunPart.LOAD, str(error))
            return False
        return True

    def _or_none(self, part: RunPart, make: Any) -> Any:
        """What a part is to do; a saga that it cannot take leaves it out."""
        try:
            asked = make()
            asked.plan()
        except UsageError as error:
            self._leave_out(part, str(error))
            return None
        return asked

    def _leave_out(self, part: RunPart, why: str) -> None:
        if self._named:
            raise UsageError(f"--only {part}: {why}")
        warn(f"the {part} part is left out: {why}")

    def announcement(self) -> str:
        """What will be done, and how long that takes."""
        words, seconds = [], 0.0
        if self.sagas is not None:
            names = ", ".join(one.chosen.name for one in self.sagas)
            words.append(f"{len(self.plan.book.orders)} {self.plan.saga.name} sagas on each engine ({names})")
            seconds += expected_seconds(self.plan, self.sagas)
        if self.asked is not None:
            crash = self.asked.plan()
            leases = {one.label: one.lease_s for series in crash.series for one in series.contestants}
            words.append(f"{crash.kills_in_all} kills")
            seconds += crash.expected_seconds(leases)
        if self.load is not None:
            words.append(f"a load on {len(self.load.contestants)} contestants")
            seconds += self.load.expected_s()
        about = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
        return f"{', then '.join(words)}: about {about} in all"
