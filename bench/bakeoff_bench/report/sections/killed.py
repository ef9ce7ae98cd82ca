"""What a cell says of the kills of one contestant at one point: what came of them, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff_bench.crash.cells import NOT_OBSERVED, cell_of, is_harmful, outcome_word
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.report.page import Cell, Mood, cell
from bakeoff_bench.report.sections.rounds import spread
from bakeoff_bench.run.journal import Row

_MOODS = {
    KillOutcome.CLEAN: Mood.GOOD,
    KillOutcome.RETRIED: Mood.GOOD,
    KillOutcome.WOULD_HAVE_DUPLICATED: Mood.CAUTION,
    KillOutcome.VOID: Mood.SILENT,
    KillOutcome.NOT_SUPPORTED: Mood.SILENT,
}
#: What the seconds of a cell are, for the conditions of a table.
SECONDS = "Seconds: the median, in brackets the shortest and longest that were seen; one kill: no interval."
_SILENT = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)
#: The order of words in a cell, the worst first.
_WORST = [*reversed(KillOutcome)]


def kills_cell(rows: Sequence[Row], planned: int) -> Cell:
    """Outcomes, the worst first, and the median recovery, with its range; the colour is of the worst.

    Args:
        rows: The kills that were made.
        planned: How many were to be made.
    """
    if not rows:
        return cell("not done", Mood.SILENT)
    summed = cell_of(rows)
    words = sorted(summed.outcomes.items(), key=lambda one: _rank(one[0]))
    text = ", ".join(f"{n} {what}" for what, n in words)
    if len(rows) < planned:
        text += f", {planned - len(rows)} not done"
    if summed.recovery.median_s is not None:
        text += f", {spread(summed.recovery.median_s, summed.recovery.seen_s, '{:.1f}'.format)} s"
    details = "; ".join(dict.fromkeys(row["detail"] for row in rows if row["detail"]))
    return cell(text, _mood(rows), note=details[:300])


def _rank(word: str) -> int:
    return len(_WORST) if word == NOT_OBSERVED else _WORST.index(KillOutcome(word))


def _mood(rows: Sequence[Row]) -> Mood:
    """Of the worst that was seen; an end that nobody waited for is no good one."""
    told_of = [row for row in rows if row["outcome"] not in _SILENT]
    if any(is_harmful(row) for row in told_of):
        return Mood.BAD
    words = {outcome_word(row) for row in told_of}
    if not words - {NOT_OBSERVED}:
        return Mood.SILENT
    moods = {_MOODS.get(KillOutcome(word), Mood.BAD) for word in words - {NOT_OBSERVED}}
    return Mood.CAUTION if Mood.CAUTION in moods or NOT_OBSERVED in words else Mood.GOOD
