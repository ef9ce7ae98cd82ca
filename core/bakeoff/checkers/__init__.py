"""From a recorded run to a verdict per invariant: record first, judge later."""

from bakeoff.checkers.books import Books, read_books
from bakeoff.checkers.conservation import held_by_unfinished
from bakeoff.checkers.effects import duplicates_attempted, duplicates_planned
from bakeoff.checkers.evidence import Evidence, Planned
from bakeoff.checkers.judge import CHECKERS, judge
from bakeoff.checkers.observed import Fate, Observed, choose_alternative, count, observe, settled_by_plan
from bakeoff.checkers.shape import Shape, StepShape
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
    "Validity",
    "Verdict",
    "choose_alternative",
    "count",
    "duplicates_attempted",
    "duplicates_planned",
    "held_by_unfinished",
    "judge",
    "merge",
    "observe",
    "read_books",
    "settled_by_plan",
]
