"""Every block of code in the documentation is executed by a test, or has a reason why it is not.

``tests/docs/blocks.py`` says which. What is in a shell is read by the real command line in any case.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from bakeoff.errors import BakeoffError
from tests.docs.blocks import BLOCKS
from tests.docs.fences import ROOT, Block, blocks, blocks_of, lines_of
from tests.docs.how import Elsewhere, Exempt, How, Ran, matches
from tests.docs.named_tests import is_there
from tests.docs.reaching import reaches
from tests.docs.typed import check_typed, commands_in

#: Indented blocks say no language.
_SHELL = ("sh", "", "yaml")
#: ``click.ClickException``, which typer brings along under changing names.
_BAD_ARGUMENTS: type[Exception] = typer.BadParameter.__mro__[2]
_KEYS = [(page, key) for page, entries in BLOCKS.items() for key in entries]


def entries_of(block: Block) -> list[How]:
    """One, if all is well."""
    return [how for key, how in BLOCKS.get(block.page, {}).items() if matches(key, block.opening)]


def _id(value: object) -> str:
    return str(value)


@pytest.mark.parametrize("block", blocks(), ids=_id)
def test_every_block_has_one_entry(block: Block) -> None:
    found = entries_of(block)

    assert len(found) == 1, f"{block}: say in tests/docs/blocks.py what executes it: {block.opening!r}"


@pytest.mark.parametrize(("page", "key"), _KEYS)
def test_every_entry_has_a_block(page: str, key: str) -> None:
    """One, or several that are the same."""
    texts = {one.text for one in blocks() if one.page == page and matches(key, one.opening)}

    assert len(texts) == 1


@pytest.mark.parametrize("block", blocks(), ids=_id)
def test_what_is_said_to_execute_it_takes_it_from_the_page(block: Block) -> None:
    for how in entries_of(block):
        if isinstance(how, Elsewhere):
            file, _, test = how.by.partition("::")
            assert is_there(ROOT / file, test), how.by
            assert reaches(ROOT / file, test, block.page), f"{how.by} does not read {block.page}"
        elif isinstance(how, Ran):
            lines = [line for line in lines_of(block) if how.options_of(line) is not None]
            unused = [key for key in how.lines if not any(matches(key, line) for line in lines)]
            assert unused == []
            assert [words for words in how.instead if words not in block.text] == []
        else:
            assert how.why


def _is_typed(block: Block) -> bool:
    return block.language in _SHELL and not any(isinstance(how, Exempt) for how in entries_of(block))


@pytest.mark.parametrize("block", [one for one in blocks() if _is_typed(one)], ids=_id)
def test_every_command_line_could_be_typed(block: Block, pytestconfig: pytest.Config) -> None:
    """Also where it is run: an option, engine, setting, saga or point that is gone is told at once."""
    _check(block, pytestconfig)


def _check(block: Block, config: pytest.Config) -> None:
    steps = re.findall(r"run: (.*)", block.text)
    lines = steps if block.language == "yaml" else [] if _is_data(block) else lines_of(block)
    for words in commands_in(lines):
        check_typed(words, config)


def _is_data(block: Block) -> bool:
    """Indented blocks that are a file's content."""
    return block.page == "docs/orders-file.md"


@pytest.mark.parametrize(
    "line",
    [
        "bakeof run",
        "bakeoff rum",
        "bakeoff run --quik",
        "bakeoff run --engine temporall",
        "bakeoff run --saga ordr",
        "bakeoff load --scenario order-stedy",
        "bakeoff crash --fault worker-kil",
        "bakeoff crash --point charge_paymnt",
        "bakeoff crash --broker kafka",
        "bakeoff load --engine celery --set celery.visibility_timout=3",
        "bakeoff sweep --engine celery --vary visibility_timout=3",
        "bakeoff ordeal poisson",
        "cd x && bakeoff run --quik # comment",
        "X=1 bakeoff run --quik > file",
        "pytest --engin=temporal",
        "pytest --engine=temporall",
        "pytest --engine=inline -k no_such_test",
        "pytest --engine=inline -m no_such_marker",
        "pytest tests/nowhere",
        "pytest bench --no-such-option=3",
        "python -m tests.nowhere",
        'pip install "bakeoff[everything]"',
        "locust -f scenarios/nowhere.py",
        "mutmut run --max-childs 2",
    ],
)
def test_a_mistake_in_a_line_is_noticed(line: str, pytestconfig: pytest.Config) -> None:
    """Otherwise the test above would say nothing."""
    (block,) = blocks_of("page.md", f"```sh\n{line}\n```\n")

    with pytest.raises((AssertionError, BakeoffError, pytest.UsageError, _BAD_ARGUMENTS)):
        _check(block, pytestconfig)


def test_blocks_are_found_where_they_stand() -> None:
    fences = "```sh\none \\\n  two # no\n```\n\n- item\n\n  ```toml\n  a = 1\n  ```\n"
    page = f"# A\n\n{fences}\nB\n\n    third  (why)\n"

    found = list(blocks_of("docs/a.md", page))
    assert [(one.line, one.language) for one in found] == [(4, "sh"), (11, "toml"), (16, "")]
    assert lines_of(found[0]) == ["one two"]
    assert lines_of(found[2]) == ["third"]


def test_a_test_that_does_not_read_the_page_is_noticed() -> None:
    here = Path(__file__)

    assert not reaches(here, test_blocks_are_found_where_they_stand.__name__, "docs/run.md")
    other = ROOT / "tests" / "telemetry" / "test_page.py"
    name = "test_the_command_of_the_page_exports_every_order"
    assert reaches(other, name, "docs/telemetry.md")
    assert not reaches(other, name, "docs/run.md")
