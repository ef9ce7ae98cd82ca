"""A pytest plug-in that numbers the contract tests for the tracer, those that ask for least first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff_bench.lines.tracer import FOLDER, TESTS, set_number


def _needs(item: pytest.Item) -> list[str]:
    return sorted({str(need) for mark in item.iter_markers("requires") for need in mark.args})


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What bleeds from one test into the next must not be taken for a capability's own."""
    items.sort(key=lambda item: (len(_needs(item)), _needs(item)))


class _Counter:
    number = 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count, and tell the processes."""
    _Counter.number += 1
    folder = Path(os.environ[FOLDER])
    with (folder / TESTS).open("a", encoding="utf-8") as file:
        line = {"number": _Counter.number, "test": item.nodeid, "requires": _needs(item)}
        file.write(json.dumps(line) + "\n")
    set_number(folder, _Counter.number)
    return (yield)
