"""What is not known, and the command that would tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bakeoff_bench.load.words import ENDS
from bakeoff_bench.report.page import Section, Table
from bakeoff_bench.report.sections.loaded import is_broken, name_of, names_of
from bakeoff_bench.report.sources import Kind, Source, of_kind

ID = "unknown"


def section(sources: Sequence[Source]) -> Section:
    """As a list of work to do."""
    return Section(
        id=ID,
        title="What is not known",
        lead=("Nothing here counts as kept, and nothing as broken.",),
        blocks=[
            Table(
                id=f"{ID}-list",
                title="Open questions",
                columns=["what", "why", "what would tell"],
                rows=[list(row) for row in _unknown(sources)],
            )
        ],
    )


def _unknown(sources: Sequence[Source]) -> Iterator[tuple[str, str, str]]:
    for kind, what, command in (
        (Kind.RUN, "whether every saga ends as computed", "bakeoff run --out DIR"),
        (
            Kind.CONTRACT,
            "which promises are kept, test by test",
            "pytest --engine=all --contract-json contract.json",
        ),
        (Kind.CRASH, "what a killed process costs", "bakeoff crash --out DIR"),
        (Kind.LOAD, "rates, latencies and cost under load", "bakeoff load --out DIR"),
    ):
        if not of_kind(sources, kind):
            yield what, "nothing of this kind is in the report", command
    yield from _of_results(sources)
    yield from _of_loads(sources)
    yield from _of_crashes(sources)
    for note in sorted({note for one in sources for note in _dev_servers(one)}):
        yield (
            "what its production server does",
            f"a stand-in was measured: {note}",
            "bakeoff load --set ENGINE.address=HOST:PORT",
        )
    yield from _of_verdicts(sources)
    yield "what a power failure costs", "no process kill tests it", "your own hardware"
    yield "other machines", "everything here was measured on the machine above", "the same commands there"


def _of_results(sources: Sequence[Source]) -> Iterator[tuple[str, str, str]]:
    """What a run's folder tells and its result as JSON does not."""
    for run in sources:
        if not run.stored:
            continue
        why, tells = "a result as JSON does not hold it; the folder of the run does", "bakeoff report DIR"
        if run.kind is Kind.RUN:
            yield f"where the time goes in {run.name}", why, tells
        if run.kind is Kind.LOAD:
            yield f"the whole distribution of latencies in {run.name}", why, tells
            if run.result["plan"]["fault"]:
                yield f"what settled second by second in {run.name}", why, tells
            if run.loads and not any(row["measured"].get("cost") for row in run.loads):
                yield f"how far costs of rounds lie apart in {run.name}", why, tells
            if not run.loads:
                yield (
                    f"latency at every rate that was tried in {run.name}",
                    "an earlier bakeoff wrote it, without every load by itself",
                    "bakeoff check DIR --json FILE",
                )


def _dev_servers(source: Source) -> Iterator[str]:
    for label, about in source.abouts.items():
        if "dev server" in about.get("note", ""):
            yield f"{label}: {about['note']}"


def _of_verdicts(sources: Sequence[Source]) -> Iterator[tuple[str, str, str]]:
    """Runs and contract tests that came to no verdict."""
    for run in of_kind(sources, Kind.RUN):
        for engine, about in run.result["engines"].items():
            if about["validity"] == "unknown":
                why = about.get("reason") or "a verdict is unknown"
                yield f"{run.label(engine)} in {run.name}", why, run.command
    for suite in of_kind(sources, Kind.CONTRACT):
        for name, test in suite.result["tests"].items():
            for engine, result in test["results"].items():
                if result["status"] == "unknown":
                    yield f"{name} on {suite.label(engine)}", result["reason"], f"pytest --engine={engine}"


def _of_loads(sources: Sequence[Source]) -> Iterator[tuple[str, str, str]]:
    for run in of_kind(sources, Kind.LOAD):
        for label, about in run.result["contestants"].items():
            if "sustained" not in about:
                yield (
                    f"the rate that {label} sustains",
                    "each run found its own" if run.result.get("combined") else "nobody searched",
                    "bakeoff load --profile publishable",
                )
            elif not about["sustained"]["rate_per_s"]:
                yield f"the rate that {label} sustains", about["sustained"]["closest"], run.command
            elif (bound := about["sustained"]["bound"]) != "engine":
                more = "locust --processes" if bound == "generator" else run.command
                yield f"how much more {label} could do", ENDS[bound], more
        names = names_of(run)
        for one in run.result["comparisons"]:
            if "cannot resolve" in one["word"]:
                pair = f"{one['a']} against {one['b']}, {names[one['block']]}"
                yield pair, one["word"], "more rounds: --rounds"
        for block in run.result["blocks"]:
            if block["void"] == block["rounds"] and not is_broken(run, block):
                yield f"{block['contestant']}, {name_of(block)}", "; ".join(block["why_void"]), run.command


def _of_crashes(sources: Sequence[Source]) -> Iterator[tuple[str, str, str]]:
    for run in of_kind(sources, Kind.CRASH):
        for summed in run.result["sums"]:
            name = f"{summed['contestant']}, {summed['fault']}"
            outcomes = summed["outcomes"]
            if unseen := outcomes.get("not observed"):
                yield name, f"{unseen} kills: the lease is longer than the deadline", "a longer --deadline"
            if void := outcomes.get("void"):
                yield name, f"{void} kills did not land", f"bakeoff crash --resume {run.place}"
