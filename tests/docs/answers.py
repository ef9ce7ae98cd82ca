"""The table of docs/temporal-vs-celery.md: every case of the two seeds, decided on the stored facts.

``python -m tests.docs.answers`` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bakeoff_bench.decide.decision import Decision, Requirements, decide
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
    print("\n".join(table()))
