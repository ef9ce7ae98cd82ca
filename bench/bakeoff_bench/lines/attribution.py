"""Which capability a logical line belongs to: the one that every test which runs it asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from bakeoff_bench.lines.statements import Statement, statements_of

#: Lines that are not one capability's own: of several, of modules and classes; and those that no test ran.
SHARED, DECLARED, NOT_RUN = "what several share", "declarations", "not run"


def attribute(
    statement: Statement, run_by: Mapping[int, frozenset[int]], requires: Mapping[int, frozenset[str]]
) -> str:
    """The capability that a statement belongs to, or one of the words above.

    Every test that runs it asks for that capability; of several the one that fewest tests ask for.

    Args:
        statement: The logical line.
        run_by: ``{line: numbers of the tests during which it ran}``.
        requires: ``{number of a test: capabilities that it asks for}``.
    """
    if statement.declares:
        return DECLARED
    lines = range(statement.first, statement.last + 1)
    tests = frozenset[int]().union(*(run_by.get(line, frozenset()) for line in lines))
    if not tests:
        return NOT_RUN
    common = frozenset.intersection(*(requires.get(test, frozenset()) for test in tests))
    if not common:
        return SHARED
    asked = Counter(need for needs in requires.values() for need in needs)
    return min(sorted(common), key=lambda need: asked[need])


def count_lines(
    files: Iterable[Path],
    ran: Mapping[str, Mapping[int, frozenset[int]]],
    requires: Mapping[int, frozenset[str]],
) -> Counter[str]:
    """``{capability or word: logical lines}`` over the files of an adapter.

    Args:
        files: Modules.
        ran: ``{file: run_by}`` as ``attribute`` takes it.
        requires: As ``attribute`` takes it.
    """
    return Counter(
        attribute(statement, ran.get(str(file), {}), requires)
        for file in files
        for statement in statements_of(file)
    )
