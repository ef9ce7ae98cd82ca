"""`bakeoff load`: how long sagas take at which rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bakeoff_bench.load.check import in_time
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell, worst
from bakeoff_bench.report.sections.latency import distribution, hockey_stick
from bakeoff_bench.report.sections.loaded import (
    conditions_of,
    disturbed,
    is_broken,
    latencies_of,
    open_blocks,
)
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "load"
LEDGER_COLUMN = "ledger under load"
RATE_COLUMN, P95_COLUMN = "sustained, sagas/s", "p95 at most loaded, s"
_PERCENTILES = ("p50", "p90", "p95", "p99")


def told_ledger(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: verdict over everything that was put on it}``."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.LOAD):
        for label, about in source.result["contestants"].items():
            verdict = about["validity"]
            mood = {"valid": Mood.GOOD, "invalid": Mood.BAD}.get(verdict, Mood.SILENT)
            worst(found, label, cell(verdict, mood, slug(ID, "blocks", source.number)))
    return found


def told_rate(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: sustained rate}``; where nobody searched, what closed loops that count reached."""
    found: dict[str, Cell] = {}
    for source in of_kind(sources, Kind.LOAD):
        for label, about in source.result["contestants"].items():
            if sustained := about.get("sustained"):
                text, mood = sustained_words(sustained)
                worst(found, label, cell(text, mood, slug(ID, "search", source.number)))
            elif rate := _closed_rate(source, label):
                worst(found, label, cell(f"closed loop: {rate:.1f}", link=slug(ID, "blocks", source.number)))
    return found


def sustained_words(found: Mapping[str, Any]) -> tuple[str, Mood]:
    """The rate that was found; where the generator was at its end it is a lower bound."""
    rate = found["rate_per_s"]
    if found["bound"] == "generator":
        return (f"at least {rate:.1f}", Mood.PLAIN) if rate else ("the generator was at its end", Mood.SILENT)
    if rate:
        return f"{rate:.1f}", Mood.PLAIN
    return "none" + (f"; closest: {found['closest']}" if found["closest"] else ""), Mood.CAUTION


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
                p95_s, rate = latencies_of(kept[-1])["p95"], kept[-1]["offered_per_s"]
                text = f"{p95_s:.3g} at {rate:.1f}/s{disturbed(source)}"
                worst(found, label, cell(text, link=slug(ID, "blocks", source.number)))
    return found


def section(sources: Sequence[Source]) -> Section | None:
    """Per run: latency against offered load, the search, distributions, pairs."""
    runs = of_kind(sources, Kind.LOAD)
    if not runs:
        return None
    blocks: list[Table | Figure] = []
    for run in runs:
        parts: Sequence[Callable[[Source], Table | Figure | None]] = (
            hockey_stick,
            _search,
            _blocks,
            partial(distribution, status="completed"),
            partial(distribution, status="compensated"),
            _parts,
            _pairs,
        )
        blocks += [block for make in parts if (block := make(run)) is not None]
    return Section(
        id=ID,
        title="Under load",
        lead=(
            "A saga has settled when the ledger holds the last record of its plan. In an open loop sagas "
            "arrive when "
            "they are due, whatever became of those before them, and their latency counts from then (free of "
            "coordinated omission); closed loops are marked.",
        ),
        blocks=blocks,
        notes=[note for run in runs for note in _notes(run)],
    )


def _closed_rate(run: Source, label: str) -> float | None:
    rates = [b["settled_per_s"] for b in run.result["blocks"] if b["contestant"] == label and b["users"]]
    return next((float(rate) for rate in rates if rate), None)


def _search(run: Source) -> Table | None:
    rows: list[list[Cell | str]] = []
    for label, about in run.result["contestants"].items():
        if found := about.get("sustained"):
            failed = found["failed_per_s"]
            rows.append(
                [
                    label,
                    cell(*sustained_words(found)),
                    "-" if failed is None else f"{failed:.1f}",
                    found["why"] + (" (the generator's end)" if found["bound"] == "generator" else ""),
                    about["note"],
                ]
            )
    if not rows:
        return None
    return Table(
        id=slug(ID, "search", run.number),
        title=f"Highest rate that was sustained ({run.name})",
        columns=["contestant", "sagas/s", "not sustained /s", "because", "note"],
        rows=rows,
        conditions=f"No growing backlog, p95 at most {run.result['plan']['slo_s']:g} s, a valid ledger. "
        f"One load per rate: a bracket, no interval. {conditions_of(run)}",
        command=run.command,
    )


def _blocks(run: Source) -> Table:
    rows: list[list[Cell | str]] = []
    for block in run.result["blocks"]:
        for status in ("completed", "compensated"):
            summed = latencies_of(block, status)
            if not summed:
                continue
            rows.append(
                [
                    block["contestant"],
                    block["block"] + (" (closed loop)" if block["users"] else ""),
                    status,
                    str(summed["n"]),
                    f"{block['rounds'] - block['void']} of {block['rounds']}",
                    "" if block["users"] else _number(block["offered_per_s"]),
                    _number(block["settled_per_s"]),
                    *(_percentile(summed.get(name), block) for name in _PERCENTILES),
                    str(block["censored"]),
                ]
            )
        if not block["arrived"]:
            why = "; ".join(block["why_void"])
            broken = is_broken(run, block)
            left = cell(
                "the ledger is not valid" if broken else "void", Mood.BAD if broken else Mood.SILENT, note=why
            )
            rows.append([block["contestant"], block["block"], left, *[""] * 9])
    return Table(
        id=slug(ID, "blocks", run.number),
        title=f"Latency, seconds ({run.name})",
        columns=[
            "contestant",
            "load",
            "outcome",
            "sagas",
            "rounds",
            "offered /s",
            "settled /s",
            *_PERCENTILES,
            "open",
        ],
        rows=rows,
        conditions="Medians of rates over the rounds that count, percentiles of all their values pooled. "
        "Too few: p50 needs 5, p90 50, p95 100, p99 1,000. Open: had not settled when patience ended; in no "
        "percentile. " + conditions_of(run),
        command=run.command,
    )


def _percentile(value: float | None, block: Mapping[str, Any]) -> Cell:
    if value is None:
        return cell("too few", Mood.SILENT)
    if not block["kept_up"]:
        return cell(f"{value:.3f} overload", Mood.CAUTION, note="it tells how long the load lasted")
    return cell(f"{value:.3f}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _parts(run: Source) -> Table | None:
    """A load that changes, or is long, part by part."""
    rows: list[list[Cell | str]] = [
        [
            block["contestant"],
            block["block"],
            f"{part['from_s']:g} to {part['until_s']:g}",
            str(part["latency"]["n"]),
            _number(part["offered_per_s"]),
            *(
                "too few" if part["latency"].get(name) is None else f"{part['latency'][name]:.3f}"
                for name in ("p50", "p90", "p95")
            ),
            str(part["open_at_end"]),
        ]
        for block in run.result["blocks"]
        for part in block["parts"]
    ]
    if not rows:
        return None
    return Table(
        id=slug(ID, "parts", run.number),
        title=f"Part by part: completed sagas that arrived then ({run.name})",
        columns=[
            "contestant",
            "load",
            "seconds",
            "sagas",
            "offered /s",
            "p50",
            "p90",
            "p95",
            "open at its end",
        ],
        rows=rows,
        conditions=conditions_of(run),
        command=run.command,
    )


def _pairs(run: Source) -> Table | None:
    found = run.result["comparisons"]
    if not found:
        return None
    return Table(
        id=slug(ID, "pairs", run.number),
        title=f"Against each other, over the same rounds ({run.name})",
        columns=["pair", "load", "ratio (95 %)", "rounds", "what can be said"],
        rows=[
            [
                f"{one['a']} / {one['b']}",
                f"{one['block']}, {one['metric']}",
                f"{one['ratio']:.2f}"
                + (f" ({one['low']:.2f} to {one['high']:.2f})" if one["low"] is not None else ""),
                str(one["rounds"]),
                one["word"],
            ]
            for one in found
        ],
        conditions="Paired log-ratios of interleaved rounds. Each interval is that of its pair alone; what "
        "can be said is corrected for there being so many pairs (Holm).",
        command=run.command,
    )


def _notes(run: Source) -> list[str]:
    found = [] if run.result["complete"] else [f"{run.name} was broken off."]
    if words := in_time(run.result):
        found.append(f"{run.name}: {words}.")
    for block in run.result["blocks"]:
        if block["void"]:
            why = "; ".join(block["why_void"])
            found.append(
                f"{block['contestant']}, {block['block']}: {block['void']} of {block['rounds']} rounds are "
                f"left "
                f"out: {why}"
            )
        if block["stuck"]:
            found.append(
                f"{block['contestant']}, {block['block']}: {block['stuck']} sagas are stuck or lost."
            )
    for label, about in run.result["contestants"].items():
        if about["validity"] != "valid":
            broken = [one for one in about.get("verdicts", ()) if one["validity"] == about["validity"]]
            told = about.get("reason") or "; ".join(f"{one['invariant']}: {one['reason']}" for one in broken)
            found.append(f"{label}: the ledger is {about['validity']}: {told}")
    return found
