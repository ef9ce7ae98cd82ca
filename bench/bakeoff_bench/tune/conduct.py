"""The searches of all engines asked for, one after the other, and what is written down of each."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.cli.screen import progress, say, warn
from bakeoff.errors import UsageError
from bakeoff.processes import run_interruptibly
from bakeoff_bench.load.plan import LoadPlan
from bakeoff_bench.load.resources import kept_or_scratch
from bakeoff_bench.overhead.domain_cost import domain_cost
from bakeoff_bench.run.countdown import Countdown
from bakeoff_bench.run.journal import make_folder
from bakeoff_bench.tune.found import earlier, evidence_of, store, values_of
from bakeoff_bench.tune.knobs import Given, Knob
from bakeoff_bench.tune.search import Searched, search
from bakeoff_bench.tune.show import show
from bakeoff_bench.tune.trials import Trials

#: Every candidate, in the folder of ``--out``.
RESULT = "tune.json"
#: Seconds to bring a candidate up, and around each of its loads.
_START_S, _AROUND_S = 6.0, 3.0

Searches = Sequence[tuple[Given, Sequence[Knob]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What holds for every search.

    Attributes:
        confirm: Rounds of what was found against class ``recommended``.
        worth: By how much a value must be faster to be kept on the way, a share.
        weaker: Whether values that give a promise up are tried.
        goes_on: Whether it begins with what an earlier search found.
        named: Engines asked for by name: what keeps one of these from being played is an error.
    """

    confirm: int
    worth: float
    weaker: bool
    goes_on: bool
    named: Sequence[str]


def search_all(
    searches: Searches, plan: LoadPlan, wishes: Wishes, output: Path, out: Path | None, json_: Path | None
) -> list[Searched]:
    """Search, show and write down, engine by engine.

    Args:
        searches: Engines, and what is tried of each.
        plan: Of every stage but for its contestants.
        wishes: Of all searches.
        output: The file of tuned values.
        out: Folder that keeps every load, if that is wanted.
        json_: File for every candidate, if that is wanted.

    Raises:
        UsageError: If an engine asked for by name cannot be played; nothing was started then.
    """
    results: dict[str, Any] = {}
    found: list[Searched] = []
    with kept_or_scratch(out, "loads.jsonl") as folder:
        if out is not None:
            make_folder(out, RESULT)
        everyone = _ready(searches, plan, wishes, folder)
        countdown = Countdown(sum(_expected_s(knobs, plan, wishes.confirm) for _, knobs in everyone))
        minutes = max(1, math.ceil(countdown.expected_s / 60))
        names = ", ".join(trials.given.engine for trials, _ in everyone)
        say(f"searching {names}: about {minutes} min; an engine's values are written when its search is over")
        own_ms = domain_cost().median_ms
        for trials, knobs in everyone:
            given = trials.given

            def tell(text: str, name: str = given.engine) -> None:
                progress(f"{name}, {countdown}: {text}")

            trials.tell = tell
            start = earlier(output, given) if wishes.goes_on else {}
            searched = run_interruptibly(search(trials, knobs, start, wishes.confirm, wishes.worth))
            results[given.engine] = {**searched.to_json(), "cpu_ms_per_order": own_ms}
            show(given.engine, results[given.engine])
            for file in [json_] if out is None else [json_, out / RESULT]:
                if file is not None:
                    file.write_text(json.dumps(results, indent=2) + "\n")
            if searched.decided:
                store(output, given.engine, values_of(given, searched.kept), evidence_of(trials, searched))
            found.append(searched)
    return found


def _ready(
    searches: Searches, plan: LoadPlan, wishes: Wishes, folder: Path
) -> list[tuple[Trials, Sequence[Knob]]]:
    """Those whose class ``recommended`` can be played: without it there is nothing to compare with."""
    ready: list[tuple[Trials, Sequence[Knob]]] = []
    for given, knobs in searches:
        trials = Trials(
            given=given,
            plan=plan,
            rounds=plan.rounds,
            folder=folder / given.engine,
            weaker=wishes.weaker,
            tell=say,
        )
        try:
            run_interruptibly(trials.check_base())
        except UsageError as error:
            if given.engine in wishes.named:
                raise
            warn(f"left out: {error}")
        else:
            ready.append((trials, knobs))
    if not ready:
        raise UsageError("no engine can be put under this load; `bakeoff doctor` tells what is missing")
    return ready


def _expected_s(knobs: Sequence[Knob], plan: LoadPlan, confirm: int) -> float:
    """Seconds of one engine's search, roughly: as if every value could be tried."""
    stages = [(len(knob.texts), plan.rounds) for knob in knobs] + [(2, confirm)]
    return sum(count * (_START_S + rounds * (plan.seconds + _AROUND_S)) for count, rounds in stages)
