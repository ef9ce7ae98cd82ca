"""`bakeoff load`: how long sagas take at which rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bakeoff_bench.load.words import ENDS, ends_of, in_time, partly_overloaded, speed_words
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell, worst
from bakeoff_bench.report.sections.latency import distributions
from bakeoff_bench.report.sections.limits import limits
from bakeoff_bench.report.sections.loaded import (
    TOLD,
    by_tier,
    censored_words,
    conditions_of,
    disturbed,
    is_broken,
    latencies_of,
    name_of,
    open_blocks,
    percentile_of_rounds,
    rounds_of,
    tier_of,
)
from bakeoff_bench.report.sections.pairs import pairs
from bakeoff_bench.report.sections.parts import parts
from bakeoff_bench.report.sections.rounds import BRACKETS, ONE, WORTH, counted, in_short, spread, used_of
from bakeoff_bench.report.sections.stick import hockey_stick
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

ID = "load"
LEDGER_COLUMN = "ledger under load"
RATE_COLUMN, P95_COLUMN = "sustained, sagas/s", "p95 at most loaded, s"
_PERCENTILES = ("p50", "p90", "p95", "p99")
_COLUMNS = (
    *("contestant", "load", "outcome", "sagas", "rounds", "offered /s", "started /s", "settled /s"),
    *(*_PERCENTILES, "told by the engine, p95, s", "open"),
)
_TOLD_WORDS = (
    "All percentiles but one count to the last record in the ledger, which is looked at every 5 ms. Told by "
    "the engine: to the word of its own API, of the sagas that settled; it may come before that look. -: it "
    "tells none."
)


def told_ledger(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: verdict over everything that was put on it}``."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.LOAD):
        for label, about in source.result["contestants"].items():
            verdict = about["validity"]
            mood = {"valid": Mood.GOOD, "invalid": Mood.BAD}.get(verdict, Mood.SILENT)
            worst(found, label, cell(verdict, mood, _blocks_id(source, label)))
    return found


def told_rate(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: sustained rate}``; where nobody searched, what closed loops that count reached."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.LOAD):
        for label, about in source.result["contestants"].items():
            if sustained := about.get("sustained"):
                text, mood = sustained_words(sustained)
                link = slug(ID, "search", source.number)
                worst(found, label, cell(text + _bracket(sustained), mood, link))
            elif rate := _closed_rate(source, label):
                worst(found, label, cell(f"closed loop: {rate}", link=_blocks_id(source, label)))
    return found


def sustained_words(found: Mapping[str, Any]) -> tuple[str, Mood]:
    """The rate that was found; where something else than the engine was at its end it is a lower bound."""
    rate = found["rate_per_s"]
    if found["bound"] != "engine":
        return (f"at least {rate:.1f}", Mood.PLAIN) if rate else (ENDS[found["bound"]], Mood.SILENT)
    if rate:
        return f"{rate:.1f}", Mood.PLAIN
    return "none" + (f"; closest: {found['closest']}" if found["closest"] else ""), Mood.CAUTION


def _bracket(found: Mapping[str, Any]) -> str:
    """Below which rate it lies, and how often it was tried; an earlier bakeoff put one load on every rate."""
    if not found["rate_per_s"]:
        return ""
    failed = found["failed_per_s"] if found["bound"] == "engine" else None
    below = "" if failed is None else f"below {failed:.1f}, "
    return f" ({below}{_times(found) or 'one load'})"


def _times(found: Mapping[str, Any]) -> str:
    """In how many rounds it was sustained; nothing where only the search's own load says so."""
    if found.get("of"):
        return f"{found['confirmed']} of {found['of']} rounds"
    lowered = found.get("searched_per_s") not in (None, found["rate_per_s"])
    return "no load at this rate counts" if lowered else ""


def told_p95(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: 95th percentile of completed sagas at the highest open rate that was kept up}``."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.LOAD):
        for label in source.result["contestants"]:
            kept = [
                one
                for one in open_blocks(source, label)
                if one["kept_up"] and latencies_of(one).get("p95") is not None
            ]
            if kept:
                block = kept[-1]
                rounds_s = percentile_of_rounds(rounds_of(source, block), "p95")
                p95_s = in_short(latencies_of(block)["p95"], rounds_s, used_of(block), "{:.3g}".format)
                grew = f", backlog grew in {block['overloaded']}" if block.get("overloaded") else ""
                text = f"{p95_s} at {block['offered_per_s']:.1f}/s{grew}{disturbed(source)}"
                worst(found, label, cell(text, link=_blocks_id(source, label)))
    return found


def section(sources: Sequence[Source]) -> Section | None:
    """Per run: latency against offered load, the search, distributions, pairs."""
    runs = of_kind(sources, Kind.LOAD)
    if not runs:
        return None
    blocks: list[Table | Figure] = []
    for run in runs:
        first: Sequence[Callable[[Source], Table | Figure | None]] = (hockey_stick, _search)
        last: Sequence[Callable[[Source], Table | Figure | None]] = (parts, pairs, limits)
        blocks += [block for make in first if (block := make(run)) is not None]
        blocks += [_blocks(run, tier, labels) for tier, labels in by_tier(run).items()]
        blocks += distributions(run)
        blocks += [block for make in last if (block := make(run)) is not None]
    return Section(
        id=ID,
        title="Under load",
        lead=(
            "A saga has settled when the ledger holds the last record of its plan. In an open loop sagas "
            "arrive when "
            "they are due, whatever became of those before them, and their latency counts from then (free of "
            "coordinated omission); closed loops are marked.",
            "Contestants stand together with those that declare to survive the same: who survives less may "
            "be faster, and is not better for it.",
        ),
        blocks=blocks,
        notes=[WORTH, *(note for run in runs for note in _notes(run))],
    )


def _closed_rate(run: Source, label: str) -> str:
    for block in run.result["blocks"]:
        if block["contestant"] == label and block["users"] and block["settled_per_s"]:
            each = block.get("settled_per_s_of_rounds", ())
            return in_short(block["settled_per_s"], each, used_of(block), "{:.1f}".format)
    return ""


def _search(run: Source) -> Table | None:
    rows: list[list[Cell | str]] = []
    for tier, labels in by_tier(run).items():
        for label in labels:
            about = run.result["contestants"][label]
            if found := about.get("sustained"):
                failed = found["failed_per_s"]
                rows.append(
                    [
                        label,
                        tier,
                        cell(*sustained_words(found)),
                        _times(found) or ONE,
                        "-" if failed is None else f"{failed:.1f}",
                        found["why"] + ends_of(found),
                        about["note"],
                    ]
                )
    if not rows:
        return None
    return Table(
        id=slug(ID, "search", run.number),
        title=f"Highest rate that was sustained ({run.name})",
        columns=["contestant", "durability", "sagas/s", "rounds", "not sustained /s", "because", "note"],
        rows=rows,
        conditions=f"No growing backlog, p95 at most {run.result['plan']['slo_s']:g} s, a valid ledger. "
        "Between what was sustained and what was not lies the limit: a bracket, no interval. Rounds: in how "
        f"many of those at this rate alone it was sustained. {conditions_of(run)}",
        command=run.command,
    )


def _blocks_id(run: Source, label: str) -> str:
    """Of the table in which a contestant's loads are."""
    return slug(ID, "blocks", run.number, tier_of(run, label))


def _blocks(run: Source, tier: str, labels: Sequence[str]) -> Table:
    """The loads of those that declare to survive the same."""
    rows: list[list[Cell | str]] = []
    for label in labels:
        blocks = [block for block in run.result["blocks"] if block["contestant"] == label]
        rows += [row for block in blocks for row in _rows(run, block)]
        if not blocks:
            rows.append([label, cell("no load was made", Mood.SILENT), *[""] * (len(_COLUMNS) - 2)])
    return Table(
        id=slug(ID, "blocks", run.number, tier),
        title=f"Latency, seconds; durability: {tier} ({run.name})",
        columns=_COLUMNS,
        rows=rows,
        conditions="Medians of rates over the rounds that count, percentiles of all their values pooled. "
        f"{BRACKETS} {_TOLD_WORDS} Too few: p50 needs 5, p90 50, p95 100, p99 1,000. Open: had not settled "
        f"when patience ended; {censored_words(run)}. {conditions_of(run)}",
        command=run.command,
    )


def _rows(run: Source, block: Mapping[str, Any]) -> list[list[Cell | str]]:
    """A row per outcome; one that says why there is none."""
    rounds, found = rounds_of(run, block), list[list[Cell | str]]()
    for status in ("completed", "compensated"):
        summed = latencies_of(block, status)
        if summed:
            settled = block.get("settled_per_s_of_rounds", ())
            found.append(
                [
                    block["contestant"],
                    name_of(block),
                    status,
                    str(summed["n"]),
                    counted(block, len(rounds)),
                    "" if block["users"] else _number(block["offered_per_s"]),
                    _number(block["achieved_per_s"]),
                    _number(block["settled_per_s"], settled),
                    *(
                        _percentile(summed.get(name), percentile_of_rounds(rounds, name, status), block)
                        for name in _PERCENTILES
                    ),
                    _told(block, rounds, status),
                    str(block["censored"]),
                ]
            )
    if not block["arrived"]:
        why, broken = "; ".join(block["why_void"]), is_broken(run, block)
        words, mood = ("the ledger is not valid", Mood.BAD) if broken else ("void", Mood.SILENT)
        empty = [""] * (len(_COLUMNS) - 3)
        found.append([block["contestant"], name_of(block), cell(words, mood, note=why), *empty])
    return found


def _told(block: Mapping[str, Any], rounds: Sequence[Row], status: str) -> Cell | str:
    """The 95th percentile by the engine's own word."""
    told = latencies_of(block, status, TOLD)
    if not told:
        return "-"
    return _percentile(told.get("p95"), percentile_of_rounds(rounds, "p95", status, TOLD), block)


def _percentile(value: float | None, rounds: Sequence[float], block: Mapping[str, Any]) -> Cell:
    if value is None:
        return cell("too few", Mood.SILENT)
    text = spread(value, rounds, "{:.3f}".format)
    if not block["kept_up"]:
        return cell(f"{text} overload", Mood.CAUTION, note="it tells how long the load lasted")
    return cell(text)


def _number(value: float | None, rounds: Sequence[float] = ()) -> str:
    return "-" if value is None else spread(value, rounds, "{:.1f}".format)


def _notes(run: Source) -> list[str]:
    found = [] if run.result["complete"] else [f"{run.name} was broken off."]
    if words := in_time(run.result):
        found.append(f"{run.name}: {words}.")
    if words := speed_words(run.result):
        found.append(f"{run.name}: {words}.")
    found += [f"{words}." for words in partly_overloaded(run.result)]
    for block in run.result["blocks"]:
        if block["void"]:
            why = "; ".join(block["why_void"])
            found.append(
                f"{block['contestant']}, {name_of(block)}: {block['void']} of {block['rounds']} rounds are "
                f"left out: {why}"
            )
        if block["stuck"]:
            found.append(
                f"{block['contestant']}, {name_of(block)}: {block['stuck']} sagas are stuck or lost."
            )
    for label, about in run.result["contestants"].items():
        if about["validity"] != "valid":
            broken = [one for one in about.get("verdicts", ()) if one["validity"] == about["validity"]]
            told = about.get("reason") or "; ".join(f"{one['invariant']}: {one['reason']}" for one in broken)
            told = told or "the run was broken off before every saga had its time"
            found.append(f"{label}: the ledger is {about['validity']}: {told}")
    return found
