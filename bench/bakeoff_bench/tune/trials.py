"""Candidates played against each other: each stage of a search is a load run of its own, judged like any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bakeoff.cli.options import check_slots_of
from bakeoff.engine import Capability
from bakeoff.errors import UsageError
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.load.comparison import compare
from bakeoff_bench.load.conduct import conduct
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.load.manifest import manifest_of
from bakeoff_bench.load.plan import LoadPlan
from bakeoff_bench.load.result import result_of
from bakeoff_bench.run.journal import Row
from bakeoff_bench.run.preflight import missing_servers
from bakeoff_bench.runs.rounds import series_of
from bakeoff_bench.tune.climb import Tried
from bakeoff_bench.tune.knobs import Changes, Given, given_up
from bakeoff_scenarios import lacking

_RATE, _INVALID = "settled_per_s", "invalid"
CONFIRMATION = "confirmation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The rounds of one stage.

    Attributes:
        rows: Of every load.
        result: What they come to, judged.
    """

    rows: Sequence[Row]
    result: Mapping[str, Any]

    @property
    def broken(self) -> dict[str, str]:
        """``{label: why}`` of contestants of which any load, or all of them together, broke an invariant."""
        found = {
            label: "; ".join(one["title"] for one in about["verdicts"] if one["validity"] == _INVALID)
            for label, about in self.result["contestants"].items()
            if about["validity"] == _INVALID
        }
        for row in self.rows:
            if row["measured"]["validity"] == _INVALID:
                found.setdefault(row["contestant"], "; ".join(row["measured"]["reasons"]))
        return found

    def rates(self, label: str | None) -> Mapping[int, float]:
        """``{round: sagas per second}`` of the rounds that count."""
        own = [one for one in series_of(self.rows) if one.contestant == label and one.metric == _RATE]
        return own[0].values if own else {}

    def tried(self, changes: Changes, problem: str, label: str | None) -> Tried:
        """The rates of a candidate, and what is wrong with it."""
        rates = self.rates(label)
        if label in self.broken:
            problem = f"its ledger is not valid: {self.broken[label]}"
        elif label is not None and not rates:
            measured = [row["measured"] for row in self.rows if row["contestant"] == label]
            why = sorted({why for one in measured for why in (*one["void"], *one["reasons"])})
            problem = f"no round counts: {'; '.join(why)}"
        return Tried(changes=changes, rates=rates, problem=problem, played=label is not None)


@dataclass(slots=True, kw_only=True)
class Trials:
    """The loads of one engine's search.

    Attributes:
        given: The engine.
        plan: Of every stage but for its contestants and rounds.
        rounds: Of a stage.
        folder: Where the stages are kept, one folder each.
        weaker: Whether candidates that give a promise up are played.
        tell: A line of progress.
        valid: Whether every ledger has been.
    """

    given: Given
    plan: LoadPlan
    rounds: int
    folder: Path
    weaker: bool
    tell: Callable[[str], None]
    valid: bool = True
    _stages: int = field(default=0)

    async def check_base(self) -> None:
        """Find out before anything is started that what all others are compared with cannot be played.

        Raises:
            UsageError: So it is.
        """
        one, problem = await self._ready({}, ())
        if one is None or problem:
            raise UsageError(f"--engine {self.given.engine}: it cannot be put under this load: {problem}")

    async def play(self, stage: str, candidates: Sequence[Changes]) -> list[Tried]:
        """Play what can be played; the first is what all others are compared with."""
        ready: list[tuple[Changes, Contestant]] = []
        problems: list[str] = []
        for changes in candidates:
            one, problem = await self._ready(changes, ready)
            problems.append(problem)
            if one is not None:
                ready.append((changes, one))
            else:
                self.tell(f"{stage}: {_words(changes)} is not tried: {problem}")
        if len(ready) < 2:
            return [
                Tried(changes=changes, rates={}, problem=problem, played=False)
                for changes, problem in zip(candidates, problems, strict=True)
            ]
        self._stages += 1
        loaded = await self._load(f"{self._stages:02d}-{stage}", [one for _, one in ready], self.rounds)
        labels = {_key(changes): one.label for changes, one in ready}
        return [
            loaded.tried(changes, problem, labels.get(_key(changes)))
            for changes, problem in zip(candidates, problems, strict=True)
        ]

    async def confirm(self, found: Changes, rounds: int) -> dict[str, Any] | None:
        """What was found against class ``recommended``, in new rounds: those of the search chose it.

        Returns:
            What ``compare`` does (found / recommended), and ``broken``: what a ledger says against what was
            found. ``None`` with fewer than two rounds that count.
        """
        pair = [self.given.contestant(found), self.given.contestant({})]
        loaded = await self._load(CONFIRMATION, pair, rounds)
        ours, base = (loaded.rates(one.label) for one in pair)
        told = compare(ours, base, pair[0].label, pair[1].label)
        return None if told is None else {**told, "broken": loaded.broken.get(pair[0].label, "")}

    async def _ready(
        self, changes: Changes, others: Sequence[tuple[Changes, Contestant]]
    ) -> tuple[Contestant | None, str]:
        """The contestant, or why it cannot be played."""
        try:
            one = self.given.contestant(changes)
            check_slots_of([one.chosen], self.plan.slots)
        except UsageError as error:
            return None, str(error)
        if any(one.settings.shown() == other.settings.shown() for _, other in others):
            return None, "it has no effect beside the others"
        info = one.engine.info(one.settings)
        base = self.given.contestant({})
        if not self.weaker and (lost := given_up(base.engine.info(base.settings), info)):
            return None, f"it gives up {'; '.join(lost)} (--weaker tries it all the same)"
        missing = lacking(self.plan.saga, info, ())
        if missing.keys() - {Capability.TIMEOUT}:
            return None, "; ".join(missing.values())
        if missing_program := await missing_servers(one.chosen):
            return None, missing_program
        # Nothing of a load runs into its timeout, so how fast it would be can be measured.
        return one, f"not kept, whatever it does: {'; '.join(missing.values())}" if missing else ""

    async def _load(self, name: str, contestants: Sequence[Contestant], rounds: int) -> Loaded:
        plan = replace(self.plan, contestants=contestants, rounds=rounds, world_alone=False)
        folder = LoadFolder.create(self.folder / name)
        manifest = manifest_of(plan)
        folder.write_manifest(manifest)
        await conduct(plan, folder, manifest, lambda text: self.tell(f"{name}: {text}"))
        # Conservation of stock and money is judged over everything, at the end.
        loaded = Loaded(rows=folder.rows(), result=result_of(folder))
        for label, why in loaded.broken.items():
            self.tell(f"{name}: {label}: the ledger is not valid: {why}")
        self.valid &= not loaded.broken
        return loaded


def _key(changes: Changes) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(changes.items()))


def _words(changes: Changes) -> str:
    return ", ".join(f"{name}={text}" for name, text in changes.items()) or "recommended"
