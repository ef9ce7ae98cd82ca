"""What the documents say about the tree is true."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from bakeoff import hookspecs
from bakeoff.engine import Capability
from tests.docs.named_tests import is_there, named_tests

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]+\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of every page."""
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]

    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_are_named_exist(page: Path) -> None:
    """A page that says which test shows something must not outlive that test."""
    missing = [named for named in named_tests(page.read_text()) if not is_there(*named)]

    assert not missing


def test_a_test_that_does_not_exist_is_noticed() -> None:
    text = "`tests/docs/test_docs.py::test_of_nothing`, `test_nowhere::test_x`, `test_start::test_of_nothing`"
    here = f"`tests/docs/test_docs.py::{test_links_lead_somewhere.__name__}`"

    assert [is_there(*named) for named in named_tests(text)] == [False] * 3
    assert [is_there(*named) for named in named_tests(here)] == [True]


def test_every_hook_is_documented_with_its_arguments() -> None:
    """A hook that no page shows cannot be used."""
    text = "\n".join(page.read_text() for page in PAGES)
    hooks = [
        function
        for name, function in vars(hookspecs).items()
        if name.startswith("bakeoff_") and callable(function)
    ]

    assert hooks
    for function in hooks:
        arguments = ", ".join(inspect.signature(function).parameters)
        assert f"{function.__name__}({arguments})" in text, function.__name__


def test_the_map_names_every_package_and_module_of_core() -> None:
    """A newcomer finds each of them."""
    text = (ROOT / "docs/whats-here.md").read_text()
    missing = [
        path.name
        for path in (ROOT / "core/bakeoff").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and not path.name.startswith("__")
        and path.name.removesuffix(".py") not in text
    ]

    assert not missing


def test_every_source_root_ships() -> None:
    """``packages`` in pyproject.toml equals the tree, and each package is typed."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(config["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    found = {
        str(marker.parent.relative_to(ROOT))
        for pattern in ("core/*", "engines/*/*", "scenarios/*", "bench/*")
        for marker in ROOT.glob(f"{pattern}/py.typed")
    }

    assert listed == found
    assert set(config["tool"]["check-wheel-contents"]["toplevel"]) == {Path(path).name for path in listed}
    assert set(config["tool"]["importlinter"]["root_packages"]) == {Path(path).name for path in listed}


@pytest.mark.parametrize(
    "module", ["bakeoff", "bakeoff.world", "bakeoff.orders", "bakeoff.servers", "bakeoff.processes"]
)
def test_public_names_are_sorted_and_exist(module: str) -> None:
    """``__all__`` is what a reader may rely on."""
    loaded = importlib.import_module(module)

    assert (
        sorted(loaded.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
        == loaded.__all__
    )
    assert all(hasattr(loaded, name) for name in loaded.__all__)


def test_the_readme_has_exactly_two_set_up_commands() -> None:
    """One runs the main job, one runs the tests; each makes its own environment."""
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if "-m venv" in line]

    assert len(lines) == 2
    assert lines[0].endswith("bin/bakeoff run --quick --out runs/first")
    assert lines[1].endswith("bin/pytest")


@pytest.mark.parametrize("capability", list(Capability))
def test_every_capability_is_asked_for_by_a_contract_test(capability: Capability) -> None:
    """A capability that no test needs is a word without meaning."""
    tests = "\n".join(path.read_text() for path in (ROOT / "core/bakeoff/contract").rglob("test_*.py"))

    assert f"Capability.{capability.name}" in tests


@pytest.mark.parametrize(
    "engine", ["celery", "celery-sagalog", "choreography", "dramatiq", "inline", "temporal"]
)
def test_every_engine_claims_every_capability_with_a_reason(engine: str) -> None:
    """And has a page that names its settings."""
    from bakeoff.plugins import Plugins

    info = Plugins().engine(engine).info()
    page = (ROOT / f"docs/engines/{engine}.md").read_text()

    assert set(info.claims) == set(Capability)
    assert all(claim.reason for claim in info.claims.values())
    assert [setting.name for setting in info.settings if setting.name not in page] == []
