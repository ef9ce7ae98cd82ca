"""What is to be read in a PDF that Chromium has printed: its pages and its words.

Chromium writes text as numbers of glyphs, and beside each font a table of the letters that they stand for.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from unicodedata import normalize

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\b(.*?)\bendobj", re.DOTALL)
_STREAM = re.compile(rb"\bstream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT = re.compile(rb"/(F\d+) (\d+) 0 R")
_LETTERS = re.compile(rb"/ToUnicode (\d+) 0 R")
_ONE = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>(?! ?[<\[])")
_RANGE = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>")
_SHOWN = re.compile(rb"/(F\d+) [-\d.]+ Tf|<([0-9A-Fa-f]+)>")


def pages_of(pdf: bytes) -> int:
    """How many it has."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def text_of(pdf: bytes) -> str:
    """Everything that is written on its pages, in the order in which it was drawn."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {name: _letters(objects, int(number)) for name, number in _FONT.findall(pdf)}
    text = "".join(letter for body in objects.values() for letter in _written(_content(body), fonts))
    return normalize("NFKC", text)  # ligatures


def _content(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None:
        return b""
    try:
        # Its last byte may have been taken for a part of the line's end.
        return (
            zlib.decompressobj().decompress(found[1])
            if b"/FlateDecode" in body[: found.start()]
            else found[1]
        )
    except zlib.error:  # a font or a picture
        return b""


def _letters(objects: Mapping[int, bytes], font: int) -> dict[int, str]:
    """``{number of a glyph: letters}``."""
    found = _LETTERS.search(objects.get(font, b""))
    table = _content(objects[int(found[1])]) if found else b""
    letters: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, text in _ONE.findall(block):
            letters[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, text in _RANGE.findall(block):
            start = int(text, 16)
            for number in range(int(first, 16), int(last, 16) + 1):
                letters[number] = chr(start + number - int(first, 16))
    return letters


def _written(content: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> Iterator[str]:
    if b" Tf" not in content:
        return
    letters: Mapping[int, str] = {}
    for font, glyphs in _SHOWN.findall(content):
        if font:
            letters = fonts.get(font, {})
            continue
        numbers = bytes.fromhex(glyphs.decode())
        for place in range(0, len(numbers), 2):
            yield letters.get(int.from_bytes(numbers[place : place + 2], "big"), "")
