"""From a recorded run to a verdict per invariant: record first, judge later."""

from bakeoff.checkers.books import Books, read_books
from bakeoff.checkers.conservation import held_by_unfinished
from bakeoff.checkers.effects import duplicates_attempted, duplicates_planned
from bakeoff.checkers.evidence import Evidence, Planned, Totals
from bakeoff.checkers.judge import CHECKERS, judge
from bakeoff.checkers.observed import Fate, Observed, choose_alternative, count, observe, settled_by_plan
from bakeoff.checkers.shape import Shape, StepShape
from bakeoff.checkers.totals import in_turn, totals_of
from bakeoff.checkers.verdict import Validity, Verdict, merge

__all__ = [
    "CHECKERS",
    "Books",
    "Evidence",
    "Fate",
    "Observed",
    "Planned",
    "Shape",
    "StepShape",
    "Totals",
    "Validity",
    "Verdict",
    "choose_alternative",
    "count",
    "duplicates_attempted",
    "duplicates_planned",
    "held_by_unfinished",
    "in_turn",
    "judge",
    "merge",
    "observe",
    "read_books",
    "settled_by_plan",
    "totals_of",
]
