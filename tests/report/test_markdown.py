"""``bakeoff report -o PAGE.md``: the page as Markdown, and what a Markdown reader makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

from bakeoff.cli.main import run
from bakeoff_bench.report import drawing
from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.markdown import markdown_of
from bakeoff_bench.report.page import Figure, Mood, Origin, Page, Section, Table, cell
from bakeoff_bench.report.sources import read_sources

pytestmark = pytest.mark.service
_ORIGIN = Origin(place="x", what="load", when="", machine="", versions="", command="bakeoff load")


def _read(text: str) -> list[Token]:
    """As GitHub and MyST do, with names for headings."""
    return MarkdownIt("commonmark").enable("table").use(anchors_plugin, max_level=4).parse(text)


def _words(tokens: list[Token]) -> list[str]:
    """Every piece of text, as it is read."""
    inline = [one for token in tokens if token.type == "inline" for one in token.children or ()]
    return [one.content for one in inline if one.type in ("text", "text_special", "code_inline")]


def _page(*words: str) -> Page:
    """A page whose words are everybody's."""
    table = Table(
        id="one",
        title=words[0],
        columns=["a", words[0]],
        rows=[["x", cell(one, Mood.BAD, "again", note=one)] for one in words],
        conditions=words[0],
        command=words[0],
    )
    again = Table(id="again", title=words[0], columns=["a"], rows=[[cell("to the first", link="one")]])
    section = Section(id="s", title=words[0], lead=words, blocks=[table, again], notes=words)
    return Page(title=words[0], made_of=[_ORIGIN], sections=[section])


@pytest.fixture
def text(runs: Path, tmp_path: Path) -> str:
    """The page of every kind of run."""
    assert run(["report", str(runs), "-o", str(tmp_path / "page.md")]) == 0
    return (tmp_path / "page.md").read_text()


def test_it_holds_every_section_table_condition_and_command(runs: Path, text: str) -> None:
    page = page_of(read_sources([runs]))
    blocks = [block for section in page.sections for block in section.blocks]
    tables = [block.table if isinstance(block, Figure) else block for block in blocks]
    tokens = _read(text)
    words = "".join(_words(tokens))

    assert [one.tag for one in tokens if one.type == "heading_open"].count("h2") == len(page.sections)
    assert [one.tag for one in tokens if one.type == "heading_open"].count("h3") == len(blocks)
    rows = sum(len(table.rows) + 1 for table in tables)
    assert [one.type for one in tokens].count("tr_open") == rows
    assert all(" ".join(block.conditions.split()) in words for block in blocks)
    assert all(block.command in words for block in blocks)
    assert all(sentence in words for section in page.sections for sentence in section.lead)


def test_it_says_first_of_which_day_machine_and_versions_it_is(runs: Path, text: str) -> None:
    opening = text.split("## The answer")[0]

    for one in page_of(read_sources([runs])).made_of:
        assert all(words in opening for words in (one.when, one.machine, one.versions, one.command))
    assert "it does not say when it was measured" in opening
    assert "bakeoff load --engine inline" in opening


def test_every_link_leads_to_a_heading(text: str) -> None:
    tokens = _read(text)
    names = {str(one.attrs["id"]) for one in tokens if one.type == "heading_open"}
    inline = [one for token in tokens if token.type == "inline" for one in token.children or ()]
    links = {str(one.attrs["href"]) for one in inline if one.type == "link_open"}

    assert len(links) > 5
    assert links <= {f"#{name}" for name in names}


def test_words_of_others_are_words_and_no_markup() -> None:
    nasty = [
        "1. *not* <b>bold</b> | `code` _x_ [y](#z) ~~no~~",
        "- # $a$ &amp; __init__\n\nsnake_case",
        "+ a\\",
    ]
    tokens = _read(markdown_of(_page(*nasty), "bakeoff report --> x"))
    inline = {one.type for token in tokens if token.type == "inline" for one in token.children or ()}
    read = "".join(_words(tokens))

    assert inline <= {
        *("text", "text_special", "code_inline"),
        *("strong_open", "strong_close", "link_open", "link_close"),
    }
    assert all(" ".join(words.split()) in read for words in nasty)
    assert "ordered_list_open" not in {one.type for one in tokens}
    assert next(one.content for one in tokens if one.type == "html_block").count("-->") == 1


def test_headings_of_the_same_words_are_told_apart() -> None:
    text = markdown_of(_page("Twice"), "bakeoff report")
    names = [str(one.attrs["id"]) for one in _read(text) if one.type == "heading_open"]

    assert names == ["twice", "twice-1", "twice-2", "twice-3"]
    assert "[to the first](#twice-2)" in text
    assert "[Twice](#twice-3)" in text


def test_the_same_runs_make_the_same_page(runs: Path, text: str, tmp_path: Path) -> None:
    assert run(["report", str(runs), "-o", str(tmp_path / "page.md")]) == 0

    assert (tmp_path / "page.md").read_text() == text


def test_its_first_line_makes_it_again(runs: Path, tmp_path: Path) -> None:
    line = ["report", str(runs / "first"), "-o", str(tmp_path / "a.md"), "--saga", "order-123"]
    assert run([*line, "--title", "What a title is"]) == 0
    first, _, title, *_ = (tmp_path / "a.md").read_text().splitlines()

    found = re.fullmatch(r"<!-- Made by a command, not by hand: bakeoff (.+) -->", first)
    assert found
    assert found[1] == " ".join([*line, "--title", "'What a title is'"])
    assert title == "# What a title is"


def test_nothing_is_drawn_for_it(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes neither matplotlib nor jinja2."""
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)

    assert run(["report", str(runs / "contract.json"), "-o", str(tmp_path / "a.html")]) == 2
    assert run(["report", str(runs / "contract.json"), "-o", str(tmp_path / "a.MD")]) == 0
