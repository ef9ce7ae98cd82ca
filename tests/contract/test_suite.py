"""What is true of the contract suite as a whole."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from bakeoff.contract import generated, sagas
from bakeoff.contract.results import Results
from bakeoff.contract.session import REVIEWED
from bakeoff.contract.statuses import ContractStatus
from bakeoff.engine import Capability
from bakeoff.plugins import Plugins
from bakeoff.saga import Saga
from tests.contract import page

ROOT = Path(__file__).parents[2]


def every_contract_test() -> Iterator[tuple[ModuleType, str, FunctionType]]:
    for module in page.modules():
        for name, function in page.functions(module):
            yield module, name, function


def needs(module: ModuleType, function: FunctionType) -> set[object]:
    of_module = getattr(module, "pytestmark", [])
    marks = [
        *getattr(function, "pytestmark", []),
        *(of_module if isinstance(of_module, list) else [of_module]),
    ]
    return {need for mark in marks if mark.name == "requires" for need in mark.args}


def test_every_capability_is_asked_for() -> None:
    asked = set().union(*(needs(module, function) for module, _, function in every_contract_test()))

    assert set(Capability) <= asked


def test_every_rule_of_the_semantics_has_tests() -> None:
    rules = set(re.findall(r"^\| (S\d+) \|", (ROOT / "docs/semantics.md").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bS\d+\b", "\n".join(module.__doc__ or "" for module in page.modules())))

    assert len(rules) == 10
    assert rules == named


def test_every_test_says_what_it_promises() -> None:
    assert [name for _, name, function in every_contract_test() if not inspect.getdoc(function)] == []


def test_no_test_names_an_engine() -> None:
    sources = {module.__name__: inspect.getsource(module).lower() for module in page.modules()}
    named = [
        (module, name)
        for module, source in sources.items()
        for name in Plugins().engine_names()
        if name in source
    ]

    assert named == []


def test_page_lists_every_test_with_its_promise_and_its_saboteurs() -> None:
    assert page.written() == page.generated(), "renew it: python -m tests.contract.page"


@pytest.mark.parametrize("module", [sagas, generated])
def test_sagas_have_names_of_their_own(module: ModuleType) -> None:
    names = [saga.name for saga in vars(module).values() if isinstance(saga, Saga)]

    assert len(names) == len(set(names)) > 0


def test_reviewed_matrix_is_of_this_suite() -> None:
    """Every engine of the repository was reviewed, on each of its brokers, in every test there is."""
    results = Results(REVIEWED)
    names = {f"{module.__name__.rpartition('.')[2]}::{name}" for module, name, _ in every_contract_test()}

    assert set(results.reviewed) == {
        "inline",
        "temporal",
        "celery[valkey]",
        "celery[rabbitmq]",
        "celery-sagalog[valkey]",
        "celery-sagalog[rabbitmq]",
        "choreography",
        "dramatiq[valkey]",
        "dramatiq[rabbitmq]",
    }
    for column in results.reviewed.values():
        assert {test.partition("[")[0] for test in column} == names
        assert {ContractStatus(status) for status in column.values()} <= set(ContractStatus)
