"""Every command and every option is described in README.md or docs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
import typer

from bakeoff.cli.app import build_app
from bakeoff.pytest_plugin import _OPTIONS
from tests.docs.bakeoff_lines import every_command
from tests.docs.fences import ROOT

_PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
_TEXT = "\n".join(page.read_text() for page in _PAGES)
_COMMANDS = every_command()


def _options(command: Any) -> set[str]:
    """Long names of what is not hidden; of a switch that is on or off anyway only the one that changes it."""
    found = set[str]()
    for one in command.params:
        if one.param_type_name != "option" or one.hidden:
            continue
        names = [*one.opts, *one.secondary_opts]
        if one.secondary_opts and one.default is not None:
            names = one.secondary_opts if one.default else one.opts
        found |= {name for name in names if name.startswith("--")}
    return found


def _missing(options: Iterable[str], text: str) -> list[str]:
    return sorted(one for one in options if not re.search(rf"(?<![\w-]){one}(?![\w-])", text))


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_option_of_a_command_is_described(name: str) -> None:
    assert _missing(_options(_COMMANDS[name]), _TEXT) == []


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_is_described(name: str) -> None:
    """In the map of the commands."""
    group, _, verb = name.rpartition(" ")

    assert re.search(rf"`(bakeoff )?({group} )?{verb}[` ]", (ROOT / "docs" / "cli.md").read_text())


def test_the_options_of_bakeoff_itself_are_described() -> None:
    options = _options(typer.main.get_command(build_app()))

    assert "--version" in options
    assert _missing(options, _TEXT) == []


def test_the_options_of_the_contract_suite_are_described() -> None:
    assert _missing(_OPTIONS, (ROOT / "docs" / "contract.md").read_text()) == []


def test_the_options_of_the_benchmarks_are_described() -> None:
    added = re.findall(r'addoption\(\s*"(--[\w-]+)"', (ROOT / "bench" / "conftest.py").read_text())

    assert {"--rounds", "--scenario", "--point"} <= set(added)
    assert _missing(added, (ROOT / "docs" / "benchmarks.md").read_text()) == []


def test_the_options_of_the_locustfile_are_described() -> None:
    source = ROOT / "bench" / "bakeoff_bench" / "load" / "generator" / "backstage.py"
    added = re.findall(r'"(--[\w-]+)"', source.read_text())

    assert {"--engine", "--bridge", "--scenario"} <= set(added)
    assert _missing(added, (ROOT / "docs" / "locust.md").read_text()) == []


def test_an_option_that_no_page_has_is_noticed() -> None:
    """Also one that only begins like another, or ends like it."""
    assert _missing(["--out", "--output"], "`--out DIR`") == ["--output"]
    assert _missing(["--report"], "`--no-report`") == ["--report"]
    assert len(_options(_COMMANDS["load"])) > 20
    assert "--no-contract" in _options(_COMMANDS["bench speed"])
