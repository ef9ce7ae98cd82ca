"""The contract matrix as people read it: a table per module of tests, then reasons and sums."""

from __future__ import annotations

from collections.abc import Iterator

from bakeoff.cli.columns import parts
from bakeoff.cli.screen import table_lines
from bakeoff.contract.results import Results
from bakeoff.contract.statuses import ContractStatus

_SHORT = {
    ContractStatus.PASSED: "ok",
    ContractStatus.FAILED: "FAILED",
    ContractStatus.NOT_SUPPORTED: "-",
    ContractStatus.UNKNOWN: "?",
}


def matrix_lines(results: Results, width: int) -> list[str]:
    """One row per test, one column per engine, in lines of ``width`` characters.

    Where the engines do not fit beside the tests, numbers stand for them, and are told first; a name that
    does not fit even so goes on in the next line. Reasons and sums are sentences: the terminal breaks them.
    """
    labels, modules = results.labels(), _by_module(results)
    heads, lines = labels, []
    if any(len(list(parts([name, *labels], rows, width, 1))) > 1 for name, rows in modules.items()):
        heads = [str(number) for number, _ in enumerate(labels, start=1)]
        lines = [*(f"{number} {label}" for number, label in zip(heads, labels, strict=True)), ""]
    for name, rows in modules.items():
        lines += [*table_lines([name, *heads], rows, width), ""]
    return [*lines, "- not supported, ? unknown", *dict.fromkeys(_reasons(results)), "", *_sums(results)]


def _by_module(results: Results) -> dict[str, list[list[str]]]:
    """``{module: rows}``; the tests of a module stand together, also where some of them ran late."""
    found: dict[str, list[list[str]]] = {}
    for test in results.tests():
        cells = [_cell(results, test, label) for label in results.labels()]
        found.setdefault(test.partition("::")[0], []).append([_shown(test), *cells])
    return found


def _shown(test: str) -> str:
    """As docs/contract.md names it; a long name breaks before its parameters."""
    name = test.partition("::")[2].removeprefix("test_")
    return name.replace("[", " [", 1)


def _cell(results: Results, test: str, label: str) -> str:
    result = results.found.get((test, label))
    return _SHORT[result.status] if result else ""


def _reasons(results: Results) -> Iterator[str]:
    """Of everything that has not passed."""
    for result in results.found.values():
        reason = result.reason
        if result.status is ContractStatus.FAILED:
            first_line = reason.strip().partition("\n")[0]
            reason = f"{result.test}: {first_line}"
        if result.status is not ContractStatus.PASSED:
            yield f"{_SHORT[result.status]} {result.label}: {reason}"


def _sums(results: Results) -> Iterator[str]:
    for label in results.labels():
        column = [result.status for (_, of), result in results.found.items() if of == label]
        sums = ", ".join(f"{column.count(status)} {status}" for status in ContractStatus if status in column)
        yield f"{label}: {sums}"
