"""What is not known, and the command that would tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bakeoff_bench.report.page import Section, Table
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
    yield from _of_loads(sources)
    yield from _of_crashes(sources)
    if any("temporal" in label for one in sources for label in one.contestants):
        yield (
            "what Temporal does in production",
            "its dev server was measured: one shard, SQLite",
            "bakeoff load --engine temporal --set temporal.address=HOST:PORT",
        )
    yield "what a power failure costs", "no process kill tests it", "your own hardware"
    yield "other machines", "everything here was measured on the machine above", "the same commands there"


def _of_loads(sources: Sequence[Source]) -> Iterator[tuple[str, str, str]]:
    for run in of_kind(sources, Kind.LOAD):
        for label, about in run.result["contestants"].items():
            if "sustained" not in about:
                yield (
                    f"the rate that {label} sustains",
                    "nobody searched",
                    "bakeoff load --profile publishable",
                )
            elif not about["sustained"]["rate_per_s"]:
                yield f"the rate that {label} sustains", about["sustained"]["closest"], run.command
            elif about["sustained"]["bound"] == "generator":
                yield f"how much more {label} could do", "the generator was at its end", "locust --processes"
        for one in run.result["comparisons"]:
            if "cannot resolve" in one["word"]:
                yield f"{one['a']} against {one['b']}, {one['block']}", one["word"], "more rounds: --rounds"
        for block in run.result["blocks"]:
            if block["void"] == block["rounds"]:
                yield f"{block['contestant']}, {block['block']}", "; ".join(block["why_void"]), run.command


def _of_crashes(sources: Sequence[Source]) -> Iterator[tuple[str, str, str]]:
    for run in of_kind(sources, Kind.CRASH):
        for summed in run.result["sums"]:
            name = f"{summed['contestant']}, {summed['fault']}"
            outcomes = summed["outcomes"]
            if unseen := outcomes.get("not observed"):
                yield name, f"{unseen} kills: the lease is longer than the deadline", "a longer --deadline"
            if void := outcomes.get("void"):
                yield name, f"{void} kills did not land", f"bakeoff crash --resume {run.path}"
