"""The table of settings by what they serve is the engines' own word."""

from __future__ import annotations

from pathlib import Path

from bakeoff.plugins import Plugins
from bakeoff_bench.lines.knobs import TUNING, by_need, declared, is_changed

PAGE = Path(__file__).parents[2] / "docs" / "engines" / "README.md"
ENGINES = ("temporal", "celery", "celery-sagalog", "dramatiq", "choreography")


def _table() -> list[str]:
    changed = {
        name: by_need(one for one in declared(Plugins().engine(name).info().settings) if is_changed(one))
        for name in ENGINES
    }
    needs = sorted({need for own in changed.values() for need in own} - {TUNING})
    rows = [
        " | ".join([need.replace("_", " "), *("; ".join(changed[name].get(need, [])) for name in ENGINES)])
        for need in [*needs, TUNING]
    ]
    lines = "|---" * (len(ENGINES) + 1) + "|"
    return [f"| changed for | {' | '.join(ENGINES)} |", lines, *(f"| {row} |" for row in rows)]


def test_the_page_names_every_setting_that_a_promise_takes() -> None:
    assert "\n".join(_table()) in PAGE.read_text().replace("`", "").replace("→", "->")
