"""Rounds of kills on one engine, one after the other, each judged before the next one begins."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bakeoff.history import History
from bakeoff.world import Aim
from bakeoff_bench.crash.contestants import Contestant as Column
from bakeoff_bench.crash.kill import BESIDE, Kills
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome
from bakeoff_bench.crash.record import Kill
from bakeoff_bench.suite.facts import spread
from bakeoff_bench.suite.site import Site
from bakeoff_bench.suite.stroke import Stroke

#: Seconds beyond deadline and lease: a killed worker is seen to end, and what may come again is waited for.
_MARGIN_S = 120.0
#: So often a round is set up whose sagas did not stand in time; nothing was killed then.
_TRIES = 4


@dataclass(slots=True)
class Recovery:
    """Makes the strokes of a benchmark.

    Attributes:
        site: The engine; its sagas may be held at points.
        aim: Where its worker dies.
        deadline_s: Seconds after a kill by which everything in flight is settled.
        history: Of the client, in a file of its own.
        made: Every kill that landed, warm-up included.
        set_up_again: Rounds whose sagas did not stand in time.
    """

    site: Site
    aim: Aim
    deadline_s: float
    history: History
    history_file: Path
    made: list[Kill] = field(default_factory=list)
    set_up_again: int = 0
    _kills: Kills = field(init=False)

    def __post_init__(self) -> None:
        self._kills = Kills(
            stack=self.site.stack,
            saga=self.site.stack.sagas["order"],
            history=self.history,
            history_file=self.history_file,
            deadline_s=self.deadline_s,
            lease_s=self.lease_s,
        )

    @property
    def lease_s(self) -> float | None:
        """Seconds after which a killed worker's work is taken over; ``None`` where no setting says so."""
        one = self.site.contestant
        return Column(label=one.label, engine=one.engine, settings=one.settings, sets=(), raws=()).lease_s

    @property
    def _within_s(self) -> float:
        return self.deadline_s + (self.lease_s or 0.0) + _MARGIN_S

    def prepare(self) -> Stroke:
        """Start sagas and wait until they stand; skip where the engine has no such point."""
        why = ""
        for _ in range(_TRIES):
            stroke = Stroke(self._kills, self.aim, self.site.orders(BESIDE + 1))
            ended = self.site.thread.call(stroke.stand, self._within_s)
            if ended is None:
                return stroke
            if ended.outcome is KillOutcome.NOT_SUPPORTED:
                pytest.skip(f"not supported: {self.site.contestant.name}: {ended.detail}")
            self.set_up_again += 1
            why = ended.detail
        pytest.fail(f"{_TRIES} times no saga stood at its point: {why}", pytrace=False)

    def strike(self, stroke: Stroke) -> None:
        """Kill the worker and wait for the end of every saga in flight."""
        self.site.thread.call(stroke.strike, self._within_s)

    def judge(self, stroke: Stroke) -> None:
        """See that the kill landed, and that every saga in flight ended all or nothing."""
        kill = self.site.thread.call(stroke.judge, self._within_s)
        assert kill.outcome not in HARMFUL, f"{kill.outcome}: {kill.detail}"
        assert kill.ended, "no process was seen to end"
        assert kill.recovery_s is not None, f"not settled within {self.deadline_s:.0f} s"
        self.made.append(kill)

    def facts(self, rounds: int) -> dict[str, Any]:
        """What the last ``rounds`` kills came to; seconds are counted from the kill."""
        kills, extra = self.made[-rounds:], Counter[str]()
        for kill in kills:
            extra.update(kill.extra_attempts)
        planned = sum(sum(one.expected.attempts.values()) for kill in kills for one in kill.planned)
        return {
            "kills": [_shown(kill) for kill in kills],
            "outcomes": dict(Counter(str(kill.outcome) for kill in kills)),
            "sagas": sum(len(kill.planned) for kill in kills),
            "attempts": {"planned": planned, "extra_of_the_struck": dict(extra)},
            "detection_s": spread(kill.detection_s for kill in kills),
            "first_progress_s": spread(kill.first_progress_s for kill in kills),
            "set_up_again": self.set_up_again,
        }


def _shown(kill: Kill) -> dict[str, Any]:
    return {
        "outcome": str(kill.outcome),
        "in_flight": kill.in_flight,
        "processes_killed": len(kill.ended),
        "detection_s": kill.detection_s,
        "first_progress_s": kill.first_progress_s,
        "recovery_s": kill.recovery_s,
    }
