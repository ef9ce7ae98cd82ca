"""Both tables of docs/temporal-vs-celery.md: what the stored facts say, and the seeds' cases decided on it.

``python -m tests.docs.answers`` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bakeoff_bench.decide.decision import Decision, Requirements, decide
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.musts import Answer
from bakeoff_bench.decide.reading import read_requirements
from bakeoff_bench.decide.stored import read_facts

DOCS = Path(__file__).parents[2] / "docs"
FACTS = DOCS / "results" / "facts.json"
CASES = sorted((DOCS / "examples" / "requirements").glob("*.toml"))


def table() -> Iterator[str]:
    """Markdown, a row per case."""
    facts = read_facts(FACTS)
    yield "| when you need | answer | could be, if what is unknown were known | ruled out, and by what |"
    yield "|---|---|---|---|"
    for case in CASES:
        asked = read_requirements(case)
        found = decide(asked, facts)
        link = f"[{asked.title}](examples/requirements/{case.name})"
        answer = ", ".join(found.recommended) or "none is known to"
        still = ", ".join([*found.open, *found.rivals]) or "-"
        yield f"| {link} | **{answer}** | {still} | {_out(asked, found)} |"


def numbers() -> Iterator[str]:
    """Markdown, a row per contestant: the numbers that the page's words rest on."""
    yield (
        "| contestant | harmed when a worker died | back after, s | harmed when its server died "
        "| CPU, ms per saga | sustained, sagas/s | memory, MB | servers |"
    )
    yield "|---" * 8 + "|"
    for one in read_facts(FACTS):
        servers = ", ".join(one.servers or ()) or "none"
        mine = [_value(one, which) for which in (Measure.CPU, Measure.RATE, Measure.MEMORY)]
        back = _value(one, Measure.RECOVERY, never="never")
        died, server_died = (_harmed(one, fault) for fault in ("worker-kill", "server-kill"))
        name = one.label + (" (dev server, 1 shard, SQLite)" if one.stand_in else "")
        yield f"| {' | '.join([name, died, back, server_died, *mine, servers])} |"


def _harmed(one: Facts, fault: str) -> str:
    """``harmed of judged``, and where the contestant itself declares that there is a moment against it."""
    kills = one.kills.get(fault)
    if kills is None or not kills.judged:
        return "-"
    return f"{kills.harmed} of {kills.judged}" + ("" if kills.gap == "" else ", not promised")


def _value(one: Facts, measure: Measure, never: str = "-") -> str:
    """With its 95 % interval where it has one."""
    found = one.measures.get(measure)
    if found is None:
        return never
    between = f" ({found.low:.3g} to {found.high:.3g})" if found.is_estimated else ""
    return f"{found.value:.3g}{between}"


def _out(asked: Requirements, found: Decision) -> str:
    """``contestant (constraint)`` of those that fail one, those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for label, findings in found.findings.items():
        failed = [
            must.says for must, one in zip(asked.musts, findings, strict=True) if one.answer is Answer.NOT_MET
        ]
        if failed:
            by_reason.setdefault("; ".join(failed), []).append(label)
    return "; ".join(f"{', '.join(labels)} ({why})" for why, labels in by_reason.items()) or "-"


if __name__ == "__main__":
    print("\n".join([*numbers(), "", *table()]))
