"""The rules for numbers of docs/method, held against the runs of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from bakeoff_bench.crash.manifest import durability_of
from bakeoff_bench.report.sections.loaded import censored_words
from bakeoff_bench.report.sections.pairs import is_unequal
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.significance.rounds import LEAST

#: Kills of a cell below which it is an anecdote.
_FEW = 5
#: How labels of the engine begin whose rates are those of a stand-in.
_TEMPORAL = "temporal"


class Kept(StrEnum):
    """Whether a rule was kept; what cannot be looked up is not claimed."""

    YES = "yes"
    NO = "no"
    DESIGN = "by design"
    NA = "n/a"


Rule = tuple[str, Kept, str]


def rules(sources: Sequence[Source]) -> Iterator[Rule]:
    """``(rule, whether it was kept, how)``, in the order of their numbers."""
    loads, compared = of_kind(sources, Kind.LOAD), of_kind(sources, Kind.OVERHEAD)
    yield (
        "1 judged from the ledger",
        Kept.DESIGN,
        "verdicts and the ends of sagas are read from the services' database",
    )
    yield from _of_arrivals(loads)
    yield (
        "8 histograms, raw data kept",
        Kept.DESIGN if loads else Kept.NA,
        "they lie in the folder of the load",
    )
    yield "9 completed and compensated apart", Kept.DESIGN, "a distribution for each, never one for both"
    yield _kills(of_kind(sources, Kind.CRASH))
    classes = {about["config_class"] for one in sources for about in one.abouts.values()}
    slots = {(one.about.get("workers"), one.about.get("slots")) for one in of_kind(sources, Kind.RUN)}
    slots |= {(one.result["plan"]["workers"], one.result["plan"]["slots"]) for one in loads}
    slots |= {(1, one.result["slots"]) for one in compared}
    yield (
        "11 same steps, retries, concurrency",
        Kept.DESIGN,
        f"classes here: {', '.join(sorted(classes))}; "
        + (
            ", ".join(f"{w} x {s} slots" for w, s in sorted(slots, key=str))
            or "slots as each kill needs them"
        ),
    )
    yield _durability(sources)
    yield _null_engine(loads, compared)
    yield _guarantees(loads)
    yield _costs(loads)
    yield _self_check(sources)
    yield _dev_server(sources)


def _of_arrivals(loads: Sequence[Source]) -> Iterator[Rule]:
    """Rules 2 to 7, about loads."""
    if not loads:
        names = (
            "2 open loop, from the intended start",
            "3 offered and achieved rate",
            "4 unsettled sagas are censored",
            "5 percentiles only where they mean something",
            "6 warm-up is left out",
            "7 interleaved rounds, paired intervals",
        )
        yield from (
            (name, Kept.NA, "no load; `bakeoff run` is a closed loop, and marked so") for name in names
        )
        return
    blocks = [block for load in loads for block in load.result["blocks"] if block["phase"] == "round"]
    rounds = sum(block["rounds"] for block in blocks)
    opened = sum(block["rounds"] for block in blocks if not block["users"])
    yield (
        "2 open loop, from the intended start",
        Kept.YES if opened else Kept.NO,
        f"{opened} of {rounds} loads; the others are closed, and marked so",
    )
    void = sum(block["void"] for block in blocks)
    yield (
        "3 offered and achieved rate",
        Kept.DESIGN,
        f"both shown; {void} of {rounds} loads are void or have no valid ledger, left out",
    )
    left = sum(block["censored"] for block in blocks)
    yield (
        "4 unsettled sagas are censored",
        Kept.DESIGN,
        f"{left} of all loads that count, shown as open; "
        + "; ".join(sorted(set(map(censored_words, loads)))),
    )
    over = sum(not block["kept_up"] for block in blocks)
    yield (
        "5 percentiles only where they mean something",
        Kept.DESIGN,
        f"too few values are called so; {over} of {len(blocks)} rates in overload are marked",
    )
    warm = sum(block["warm_up"] for block in blocks)
    yield "6 warm-up is left out", Kept.YES if warm else Kept.NO, f"{warm} sagas of warm-up are in no number"
    yield _rounds(loads)


def _rounds(loads: Sequence[Source]) -> Rule:
    """Whether as many rounds count of every load as the pilot asked for, or as are made without one."""
    enough, told = [], []
    for load in loads:
        blocks = [block for block in load.result["blocks"] if block["phase"] == "round"]
        made = min((block["rounds"] - block["void"] for block in blocks), default=0)
        planned, pilot = load.result["plan"]["rounds"], load.result.get("pilot")
        if pilot is None:
            enough.append(made >= max(planned, LEAST))
            told.append(f"{load.name}: {made} of {planned} planned rounds, {LEAST} are due without a pilot")
        else:
            enough.append(made >= pilot["rounds"])
            told.append(f"{load.name}: {made} of {pilot['rounds']} rounds that its pilot asked for")
    return (
        "7 interleaved rounds, paired intervals",
        Kept.YES if all(enough) else Kept.NO,
        f"{'; '.join(told)}; pairs are corrected for being so many",
    )


def _kills(runs: Sequence[Source]) -> Rule:
    name = "10 crash results are distributions"
    if not runs:
        return name, Kept.NA, "no process was killed"
    landed: Counter[tuple[Any, ...]] = Counter()
    for run in runs:
        for row in run.result["kills"]:
            cell = (run.number, row["series"], row["contestant"], row["fault"], row["point"])
            landed[cell] += row["outcome"] not in ("void", "not supported")
    few = sum(count < _FEW for count in landed.values())
    how = f"{landed.total()} kills landed in {len(landed)} cells, {few} of which have fewer than {_FEW}"
    return name, Kept.NO if few else Kept.YES, how


def _durability(sources: Sequence[Source]) -> Rule:
    name = "12 durability tier"
    survivors = [
        (f"{label} ({one.name})", durability_of(about))
        for one in sources
        for label, about in one.contestants.items()
    ]
    if not survivors:
        return name, Kept.NA, "only what adapters take was measured"
    missing = [who for who, tier in survivors if not tier]
    how = f"not told of {', '.join(missing)}" if missing else "stands with every contestant"
    return name, Kept.NO if missing else Kept.YES, f"{how}; power loss is not tested"


def _null_engine(loads: Sequence[Source], compared: Sequence[Source]) -> Rule:
    name = "13 the harness's own cost"
    whole = [one for one in compared if one.result["complete"]]
    beside = "adapters against natives are in this page"
    if not loads:
        return name, *((Kept.YES, beside) if whole else (Kept.NA, "bakeoff bench overhead measures it"))
    rest = beside if whole else "bakeoff bench overhead measures the rest"
    inline = all("inline" in load.result["contestants"] for load in loads)
    how = "the null engine ran in every load" if inline else "a load ran without the null engine"
    return name, Kept.YES if inline else Kept.NO, f"{how}; {rest}"


def _guarantees(loads: Sequence[Source]) -> Rule:
    compared = [is_unequal(load, one) for load in loads for one in load.result["comparisons"]]
    how = "loads stand by durability tier, without a ranking"
    if compared:
        how += f"; {sum(compared)} of {len(compared)} pairs are of unequal guarantees, and say so"
    return "14 grouped by guarantee", Kept.DESIGN, how


def _costs(loads: Sequence[Source]) -> Rule:
    name = "15 cost of the whole deployment"
    if not loads:
        return name, Kept.NA, ""
    blocks = [block for load in loads for block in load.result["blocks"] if block["arrived"]]
    missing = [one["contestant"] for one in blocks if one["cost"].get("cpu_s.total") is None]
    how = (
        f"unknown of {', '.join(sorted(set(missing)))}"
        if missing
        else "servers, workers and client of every load"
    )
    return name, Kept.NO if missing else Kept.YES, how


def _self_check(sources: Sequence[Source]) -> Rule:
    name = "16 an adapter's fault is not an engine's"
    checked = {
        run.label(engine)
        for run in of_kind(sources, Kind.RUN)
        for engine, about in run.result["engines"].items()
        if about["validity"] == "valid"
    }
    measured = [one for one in sources if one.kind in (Kind.CRASH, Kind.LOAD)]
    if not measured:
        return name, Kept.NA, ""
    missing = sorted(
        {
            label
            for one in measured
            for label, about in one.contestants.items()
            # A load checks itself; kills rest on a main job beside them.
            if label not in checked and about.get("self_check") != "valid"
        }
    )
    how = (
        f"neither a valid main job nor a self-check of {', '.join(missing)}"
        if missing
        else "a valid main job is here of every contestant, or the self-check of its load"
    )
    return name, Kept.NO if missing else Kept.YES, how


def _dev_server(sources: Sequence[Source]) -> Rule:
    name = "17 Temporal is its dev server"
    abouts = [(one, label, about) for one in _with_rates(sources) for label, about in one.abouts.items()]
    bare = {
        f"{label} ({one.name})"
        for one, label, about in abouts
        if label.partition("[")[0] == _TEMPORAL and not about.get("note")
    }
    if bare:
        return name, Kept.NO, f"no note says which server it was: {', '.join(sorted(bare))}"
    notes = {about["note"] for _, _, about in abouts if "dev server" in about.get("note", "")}
    if not notes:
        return name, Kept.NA, ""
    return name, Kept.YES, f"its note stands in the conditions: {'; '.join(sorted(notes))}"


def _with_rates(sources: Sequence[Source]) -> list[Source]:
    """Contract results and counted lines hold no rate."""
    return [one for one in sources if one.kind not in (Kind.CONTRACT, Kind.LINES)]
