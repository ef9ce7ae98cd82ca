"""Every block of code in README.md, CONTRIBUTING.md and docs, fenced or indented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
#: A directive of the site's, which is no code: ``test_site`` builds it.
_CONTENTS = "{toctree}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One of them.

    Attributes:
        page: From the root of the tree, ``docs/run.md``.
        line: Of its first line in the page, from 1.
        language: As the fence says; empty for an indented one.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def opening(self) -> str:
        """Its first line, by which it is called."""
        return self.text.partition("\n")[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def blocks() -> tuple[Block, ...]:
    """All of them, page by page."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
    return tuple(
        block for page in pages for block in blocks_of(str(page.relative_to(ROOT)), page.read_text())
    )


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """Those of one page."""
    for token in MarkdownIt("commonmark").parse(text):
        if token.type not in ("fence", "code_block") or token.info.strip() == _CONTENTS:
            continue
        assert token.map is not None
        fenced = token.type == "fence"
        yield Block(
            page=page,
            line=token.map[0] + 1 + fenced,
            language=token.info.strip(),
            text=token.content.rstrip("\n"),
        )


def block_of(page: str, opening: str) -> Block:
    """The one block of a page that begins with these words."""
    (found,) = [one for one in blocks() if one.page == page and one.text.startswith(opening)]
    return found


def lines_of(block: Block) -> list[str]:
    """Its command lines: continued ones in one piece, without comments and what stands in brackets behind."""
    text = re.sub(r"\\\n\s*", "", block.text)
    text = re.sub(r"(?m)(^|\s+)#( .*)?$", "", text)
    text = re.sub(r"(?m)\s{2,}\(.*\)$", "", text)
    return [line.strip() for line in text.splitlines() if line.strip()]
