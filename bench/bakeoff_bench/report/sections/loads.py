"""`bakeoff load`: how long sagas take at which rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Mood, Section, Table, cell
from bakeoff_bench.report.sections.latency import distribution, hockey_stick
from bakeoff_bench.report.sections.loaded import conditions_of, latencies_of, open_blocks
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "load"
RATE_COLUMN, P95_COLUMN = "sustained, sagas/s", "p95 at most loaded, s"
_PERCENTILES = ("p50", "p90", "p95", "p99")


def told_rate(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: sustained rate}``; where nobody searched, what a closed loop reached."""
    found = {}
    for number, source in enumerate(of_kind(sources, Kind.LOAD)):
        for label, about in source.result["contestants"].items():
            sustained = about.get("sustained")
            link = slug(ID, "search" if sustained else "blocks", number)
            if sustained:
                rate = sustained["rate_per_s"]
                text = f"{rate:.1f}" if rate else "none"
                found[label] = cell(text, Mood.PLAIN if rate else Mood.CAUTION, link)
            elif rate := _closed_rate(source, label):
                found[label] = cell(f"closed loop: {rate:.1f}", link=link)
    return found


def told_p95(sources: Sequence[Source]) -> dict[str, Cell]:
    """``{contestant: 95th percentile of completed sagas at the highest open rate that was kept up}``."""
    found = {}
    for number, source in enumerate(of_kind(sources, Kind.LOAD)):
        for label in source.result["contestants"]:
            kept = [
                one for one in open_blocks(source, label) if one["kept_up"] and latencies_of(one).get("p95")
            ]
            if kept:
                one = max(kept, key=lambda block: block["offered_per_s"])
                text = f"{latencies_of(one)['p95']:.2f} at {one['offered_per_s']:.1f}/s"
                found[label] = cell(text, link=slug(ID, "blocks", number))
    return found


def section(sources: Sequence[Source]) -> Section | None:
    """Per run: latency against offered load, the search, distributions, pairs."""
    runs = of_kind(sources, Kind.LOAD)
    if not runs:
        return None
    blocks: list[Table | Figure] = []
    for number, run in enumerate(runs):
        parts: Sequence[Callable[[int, Source], Table | Figure | None]] = (
            hockey_stick,
            _search,
            _blocks,
            partial(distribution, status="completed"),
            partial(distribution, status="compensated"),
            _pairs,
        )
        blocks += [block for make in parts if (block := make(number, run)) is not None]
    return Section(
        id=ID,
        title="Under load",
        lead=(
            "Sagas arrive when they are due, whatever became of those before them, and their latency "
            "counts from "
            "then (an open loop, free of coordinated omission). A saga has settled when the ledger holds "
            "the last "
            "record of its plan.",
        ),
        blocks=blocks,
        notes=[note for run in runs for note in _notes(run)],
    )


def _closed_rate(run: Source, label: str) -> float | None:
    rates = [b["settled_per_s"] for b in run.result["blocks"] if b["contestant"] == label and b["users"]]
    return next(
        (float(rate) for rate in rates if rate), run.result["contestants"][label].get("throughput_per_s")
    )


def _search(number: int, run: Source) -> Table | None:
    rows: list[list[Cell | str]] = []
    for label, about in run.result["contestants"].items():
        if found := about.get("sustained"):
            rate, failed = found["rate_per_s"], found["failed_per_s"]
            rows.append(
                [
                    label,
                    f"{rate:.1f}" if rate else cell(f"none; closest: {found['closest']}", Mood.CAUTION),
                    "-" if failed is None else f"{failed:.1f}",
                    found["why"] + (" (the generator's end)" if found["bound"] == "generator" else ""),
                    about["note"],
                ]
            )
    if not rows:
        return None
    return Table(
        id=slug(ID, "search", number),
        title=f"Highest rate that was sustained ({run.path.name})",
        columns=["contestant", "sagas/s", "not sustained /s", "because", "note"],
        rows=rows,
        conditions=f"No growing backlog, p95 at most {run.result['plan']['slo_s']:g} s, a valid ledger. "
        f"One load per rate: a bracket, no interval. {conditions_of(run)}",
        command=run.command,
    )


def _blocks(number: int, run: Source) -> Table:
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
            rows.append([block["contestant"], block["block"], cell("void", Mood.SILENT, note=why), *[""] * 9])
    return Table(
        id=slug(ID, "blocks", number),
        title=f"Latency, seconds ({run.path.name})",
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


def _pairs(number: int, run: Source) -> Table | None:
    found = run.result["comparisons"]
    if not found:
        return None
    return Table(
        id=slug(ID, "pairs", number),
        title=f"Against each other, over the same rounds ({run.path.name})",
        columns=["pair", "load", "ratio (95 %)", "rounds", "what can be said"],
        rows=[
            [
                f"{one['a']} / {one['b']}",
                f"{one['block']}, {one['metric']}",
                f"{one['ratio']:.2f}" + (f" ({one['low']:.2f} to {one['high']:.2f})" if one["low"] else ""),
                str(one["rounds"]),
                one["word"],
            ]
            for one in found
        ],
        conditions="Paired log-ratios of interleaved rounds, corrected for being so many (Holm).",
        command=run.command,
    )


def _notes(run: Source) -> list[str]:
    found = [] if run.result["complete"] else [f"{run.path.name} was broken off."]
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
            found.append(f"{label}: the ledger is {about['validity']}: {about.get('reason', '')}")
    return found
