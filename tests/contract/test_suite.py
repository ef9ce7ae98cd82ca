"""What is true of the contract suite as a whole."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import bakeoff.contract
from bakeoff.contract import generated, sagas
from bakeoff.contract.results import Results
from bakeoff.contract.session import REVIEWED
from bakeoff.contract.statuses import ContractStatus
from bakeoff.engine import Capability
from bakeoff.plugins import Plugins
from bakeoff.saga import Saga

ROOT = Path(__file__).parents[2]


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(bakeoff.contract.__path__, "bakeoff.contract."):
        if found.name.rpartition(".")[2].startswith("test_"):
            yield importlib.import_module(found.name)


def functions() -> Iterator[tuple[ModuleType, str, FunctionType]]:
    for module in modules():
        for name, value in vars(module).items():
            if name.startswith("test_") and inspect.isfunction(value):
                yield module, name, value


def needs(module: ModuleType, function: FunctionType) -> set[object]:
    marks = [*getattr(function, "pytestmark", []), getattr(module, "pytestmark", None)]
    return {need for mark in marks if mark is not None and mark.name == "requires" for need in mark.args}


def test_every_capability_is_asked_for() -> None:
    asked = set().union(*(needs(module, function) for module, _, function in functions()))

    assert set(Capability) <= asked


def test_every_rule_of_the_semantics_has_tests() -> None:
    rules = set(re.findall(r"^\| (S\d+) \|", (ROOT / "docs/semantics.md").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bS\d+\b", "\n".join(module.__doc__ or "" for module in modules())))

    assert len(rules) == 10
    assert rules == named


def test_every_test_says_what_it_promises() -> None:
    assert [name for _, name, function in functions() if not inspect.getdoc(function)] == []


def test_no_test_names_an_engine() -> None:
    sources = {module.__name__: inspect.getsource(module).lower() for module in modules()}
    named = [
        (module, name)
        for module, source in sources.items()
        for name in Plugins().engine_names()
        if name in source
    ]

    assert named == []


def test_page_lists_every_module_and_test() -> None:
    page = (ROOT / "docs/contract.md").read_text()
    missing = [name for _, name, _ in functions() if f"`{name.removeprefix('test_')}`" not in page]

    assert missing == []


@pytest.mark.parametrize("module", [sagas, generated])
def test_sagas_have_names_of_their_own(module: ModuleType) -> None:
    names = [saga.name for saga in vars(module).values() if isinstance(saga, Saga)]

    assert len(names) == len(set(names)) > 0


def test_reviewed_matrix_is_of_this_suite() -> None:
    """Every engine of the repository was reviewed, on each of its brokers, in every test there is."""
    results = Results(REVIEWED)
    tests = {f"{module.__name__.rpartition('.')[2]}::{name}" for module, name, _ in functions()}

    assert set(results.reviewed) == {
        "inline",
        "temporal",
        "celery[valkey]",
        "celery[rabbitmq]",
        "dramatiq[valkey]",
        "dramatiq[rabbitmq]",
    }
    for column in results.reviewed.values():
        assert {test.partition("[")[0] for test in column} == tests
        assert {ContractStatus(status) for status in column.values()} <= set(ContractStatus)
