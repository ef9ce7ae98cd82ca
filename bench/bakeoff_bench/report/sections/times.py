"""Where the time goes: one saga on every engine, and the mean over all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from bakeoff_bench.report.drawing import INK, colour, drawn
from bakeoff_bench.report.names import slug
from bakeoff_bench.report.page import Cell, Figure, Section, Table
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.left import page_left
from bakeoff_bench.run.said import shown
from bakeoff_bench.run.stored import reading
from bakeoff_bench.significance.paired import ALPHA
from bakeoff_bench.significance.student import critical
from bakeoff_bench.trace import Part, Trace, traces_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ID = "time"
_STATUSES = ("completed", "compensated")
_HATCHES = ("", "..", "", "xx", "//", "\\\\", "--")
_WORDS = {
    Part.START: "start accepted",
    Part.QUEUE: "until the first step",
    Part.EXECUTION: "steps act",
    Part.RETRY: "failed attempts, and pauses",
    Part.BETWEEN: "between steps",
    Part.COMPENSATION: "undos act",
    Part.TELLING: "until the client is told",
}


def section(sources: Sequence[Source], workflow_ids: Sequence[str] = ()) -> Section | None:
    """Means of every run, and the sagas asked for; without any, the first completed and compensated one."""
    runs = of_kind(sources, Kind.RUN)
    blocks: list[Figure] = []
    for run in runs:
        traces = _traces(run)
        if not traces:
            continue
        blocks += [
            _means(run, status, of_status)
            for status in _STATUSES
            if (of_status := _of_status(traces, status))
        ]
        for workflow_id in dict.fromkeys(workflow_ids) or _telling(traces):
            own = {
                label: trace
                for label, of in traces.items()
                for trace in of
                if trace.workflow_id == workflow_id
            }
            if own:
                blocks.append(_saga(run, workflow_id, own))
    if not blocks:
        return None
    return Section(
        id=ID,
        title="Where the time goes",
        lead=(
            "The same trace for every engine, from the ledger's attempts and effects and the client's "
            "history. What "
            "lies between two steps is the engine's: its orchestrator and its queues, and a wait where "
            "the saga has "
            "one.",
        ),
        blocks=blocks,
        notes=(
            "Until the client is told includes the harness, which looks into the ledger every 10 ms and "
            "asks the "
            "engine only when the saga is over there.",
        ),
    )


def drawable(run: Source, workflow_id: str) -> bool:
    """Whether this is a run in which somebody started this saga."""
    if run.kind is not Kind.RUN:
        return False
    return any(one.workflow_id == workflow_id for own in _traces(run).values() for one in own)


def undrawn(sources: Sequence[Source], workflow_id: str) -> str:
    """Why nobody's trace of a saga can be drawn; a load has too many sagas to look whether this is one."""
    loads = [one.path for one in sources if one.kind is Kind.LOAD and not one.stored]
    if not loads:
        return "no engine ran it in these folders"
    traced = " or ".join(shown(["bakeoff", "trace", str(path), workflow_id]) for path in loads)
    return f"no `bakeoff run` in these folders has it; sagas of a load are not drawn, but told by: {traced}"


def _of_status(traces: Mapping[str, Sequence[Trace]], status: str) -> dict[str, list[Trace]]:
    """Those that the client was told this outcome of; no others are a measure of anything."""
    found = {label: [one for one in own if one.status == status] for label, own in traces.items()}
    return {label: own for label, own in found.items() if own}


def _traces(run: Source) -> dict[str, list[Trace]]:
    found: dict[str, list[Trace]] = {}
    if run.stored:  # its ledgers are elsewhere
        return found
    for engine, about in run.result["engines"].items():
        if "counts" in about and (traces := list(traces_of(run.path / engine, engine))):
            found[run.label(engine)] = traces
    return found


def _telling(traces: Mapping[str, Sequence[Trace]]) -> list[str]:
    """The first saga that completed everywhere, and the first that was compensated everywhere."""
    found = []
    for status in _STATUSES:
        of_engines = [{one.workflow_id for one in own if one.status == status} for own in traces.values()]
        common = set.intersection(*of_engines)
        found += [one.workflow_id for one in next(iter(traces.values())) if one.workflow_id in common][:1]
    return found


def _means(run: Source, status: str, traces: Mapping[str, Sequence[Trace]]) -> Figure:
    title = f"Mean time of {status} sagas ({run.name})"
    told_so = (
        f"How the seconds of a {status} saga are spent in the mean, from the client's call until it is told "
        "the outcome; the thin line is the interval of the whole. Sagas of which nobody was told an outcome "
        "are left out."
    )
    shares = {label: [trace.shares_s() for trace in own] for label, own in traces.items()}
    whole = {label: [sum(one.values()) for one in own] for label, own in shares.items()}
    means = {label: {part: fmean(one[part] for one in own) for part in Part} for label, own in shares.items()}

    def draw(axes: Axes) -> None:
        left = [0.0] * len(means)
        for place, part in enumerate(Part):
            widths = [mean[part] for mean in means.values()]
            names = [f"{label}, n = {len(whole[label])}" for label in means]
            bars = axes.barh(names, widths, left=left, color=colour(place), hatch=_HATCHES[place])
            bars.set_label(_WORDS[part])
            left = [before + width for before, width in zip(left, widths, strict=True)]
        for row, seconds in enumerate(whole.values()):
            if half := _half(seconds):
                mean = fmean(seconds)
                axes.hlines([row], [mean - half], [mean + half], colors=INK, linewidth=1.2)
        axes.invert_yaxis()
        axes.set_xlabel("seconds")

    rows: list[list[Cell | str]] = [
        [
            label,
            str(len(own)) if len(own) > 1 else "1: no interval",
            *(_mean_words([one[part] for one in own]) for part in Part),
            _mean_words(whole[label]),
        ]
        for label, own in shares.items()
    ]
    return Figure(
        id=slug(ID, "means", run.number, status),
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=2.2 + 0.3 * len(means)),
        told=told_so,
        conditions="Means of so many sagas, with a 95 % interval (Student's t over the sagas). All sagas of "
        f"the run, with its faults, retries and slow steps: {run.result['scenario']}, "
        f"{run.result['concurrency']} in flight (closed loop), {run.result['workers']} x "
        f"{run.result['slots']} slots.",
        table=Table(
            id=slug(ID, "means-table", run.number, status),
            title=title,
            columns=["contestant", "sagas", *(_WORDS[part] for part in Part), "in all, s"],
            rows=rows,
        ),
        command=run.command,
    )


def _half(seconds: Sequence[float]) -> float | None:
    """Half of the 95 % interval of a mean; ``None`` of one saga."""
    n = len(seconds)
    return critical(n, ALPHA) * stdev(seconds) / n**0.5 if n > 1 else None


def _mean_words(seconds: Sequence[float]) -> str:
    half, mean = _half(seconds), fmean(seconds)
    return f"{mean:.3f}" if half is None else f"{mean:.3f} \N{PLUS-MINUS SIGN} {half:.3f}"


def _saga(run: Source, workflow_id: str, traces: Mapping[str, Trace]) -> Figure:
    statuses = sorted({trace.status or "no outcome" for trace in traces.values()})
    title = f"{workflow_id}, {' or '.join(statuses)} ({run.name})"
    told_so = f"The same saga on every engine, moment by moment: {workflow_id}."

    def draw(axes: Axes) -> None:
        for row, trace in enumerate(traces.values()):
            for place, part in enumerate(Part):
                spans = [(one.start_s, one.seconds) for one in trace.spans if one.part is part]
                label = _WORDS[part] if row == 0 else None
                axes.broken_barh(
                    spans, (row - 0.35, 0.7), facecolors=colour(place), hatch=_HATCHES[place], label=label
                )
        axes.set_yticks(range(len(traces)), list(traces))
        axes.invert_yaxis()
        axes.set_xlabel("seconds after the client called")

    links, without = _pages(run, workflow_id, traces)
    rows: list[list[Cell | str]] = [
        [
            label,
            span.name,
            _WORDS[span.part],
            str(span.attributes.get("attempt", "")),
            f"{span.start_s:.4f}",
            f"{span.seconds:.4f}",
        ]
        for label, trace in traces.items()
        for span in trace.spans
    ]
    return Figure(
        id=slug(ID, run.number, workflow_id),
        title=title,
        svg=partial(drawn, title, told_so, draw, height_in=2.2 + 0.3 * len(traces)),
        told=told_so,
        conditions=" ".join(["n = 1, one saga: an example, no interval.", *without]),
        links=links,
        table=Table(
            id=slug(ID, run.number, workflow_id, "table"),
            title=title,
            columns=["contestant", "what", "part", "attempt", "at, s", "lasted, s"],
            rows=rows,
        ),
        command=f"bakeoff trace {run.place} {workflow_id}",
    )


def _pages(run: Source, workflow_id: str, labels: Collection[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Links to the saga in web UIs of the engines' own that show it now, and why there are no others."""
    links, without = [], []
    for engine, about in run.result["engines"].items():
        label = run.label(engine)
        with reading(run.path):
            page = page_left(engine, about, workflow_id) if label in labels else None
        if page is not None and page.url.startswith(("http://", "https://")):
            links.append(
                (f"{workflow_id} in the web UI of {label}, which was up when this page was made", page.url)
            )
        elif page is not None:
            without.append(f"The web UI of {label}: {page.how}.")
    return links, without
