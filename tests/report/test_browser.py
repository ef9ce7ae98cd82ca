"""The page in a real browser: light and dark, on a desk and on a phone, printed; of runs of every kind."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from bakeoff.cli.main import run
from tests.report.browser import opened
from tests.report.conftest import Parsed
from tests.report.pages import KILLS, MANY, empty, huge, partial
from tests.report.pdf import pages_of, text_of
from tests.tiers import more

pytestmark = [pytest.mark.service, pytest.mark.slow]

Scheme = Literal["light", "dark"]
#: Where screenshots go; ``None``: they are made all the same, and go with the test's own folder.
SCREENSHOTS = os.environ.get("BAKEOFF_SCREENSHOTS")
#: Of every text that is seen: ``[its contrast with what lies behind it, the text]``, the least first.
_CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d');
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (colour) => {
    const [r, g, b] = [...rgba(colour)].map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (rgba(colour)[3] === 255) return colour;
    }
    return 'white';
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim()) continue;
    if (['STYLE', 'SCRIPT', 'title', 'desc'].includes(element.tagName)) continue;
    const inDrawing = element.closest('svg') !== null;
    const style = getComputedStyle(element);
    const [a, b] = [light(inDrawing ? style.fill : style.color), light(behind(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walk.currentNode.textContent.trim()]);
  }
  return found.sort((one, other) => one[0] - other[0]);
}"""
#: What a cell says to those who do not see its colour.
_SPOKEN = re.compile(r" \((?:as promised|caution|harm|says nothing)\)")
#: WCAG 2, level AA.
_ENOUGH = 4.5
#: Of every picture: what stands for a number and can be seen in it, and the rows of the table behind it.
_DRAWN = """() => [...document.querySelectorAll('.block')].filter((one) => one.querySelector('figure svg'))
  .map((block) => {
    const svg = block.querySelector('figure svg');
    const frame = svg.getBoundingClientRect();
    const seen = (part) => ['path', 'use', 'rect']
      .flatMap((tag) => [...svg.querySelectorAll(`[id*="-${part}"] ${tag}`)])
      .filter((one) => !one.closest('defs'))
      .map((one) => one.getBoundingClientRect())
      .filter((box) => box.width + box.height > 0 && box.left >= frame.left - 1 && box.top >= frame.top - 1
        && box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1).length;
    return {
      id: block.querySelector('h3').id, size: [frame.width, frame.height],
      room: block.querySelector('.drawing').getBoundingClientRect().width,
      marks: seen('mark-'), sustained: seen('sustained-'),
      rows: [...block.querySelectorAll('details tbody tr')]
        .map((row) => [...row.children].map((one) => one.innerText)),
    };
  })"""


def _kills(rows: list[list[str]]) -> int:
    return sum(int(row[2]) for row in rows)


def _contestants(rows: list[list[str]]) -> int:
    return len({row[0] for row in rows})


#: ``{how the id of a picture begins: the fewest marks that show what its table says}``.
_FEWEST: Mapping[str, Callable[[list[list[str]]], int]] = {
    "load-stick": len,
    "load-completed": lambda rows: 2 * len(rows),
    "load-compensated": lambda rows: 2 * len(rows),
    "recovery-lease": _kills,
    "recovery-distribution": _contestants,
    "cost-table": len,
    "guarantees-picture": lambda rows: sum(row[3] != "not measured" for row in rows),
    "struck": _contestants,
    "time": _contestants,
}


#: What must be drawn on which page.
_KINDS = {
    "usual": {"recovery-lease", "recovery-distribution", "cost-table", "time"},
    "partial": {"load-stick", "cost-table", "struck", "time"},
    "huge": set(_FEWEST) - {"struck"},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as one:
        yield one


@pytest.fixture(scope="module")
def written(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the page of a name, each once."""
    makers: Mapping[str, Callable[[Path], list[Path]]] = {
        "usual": lambda folder: [runs],
        "partial": lambda folder: [partial(runs, folder), folder / "loads" / "load.json"],
        "huge": lambda folder: [huge(runs, folder)],
        "empty": empty,
    }
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            page = folder / "page.html"
            assert run(["report", *map(str, makers[name](folder)), "-o", str(page)]) == 0
            made[name] = page
        return made[name]

    return make


@pytest.fixture(params=["usual", "partial", "huge"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def html(written: Callable[[str], Path], name: str) -> str:
    return written(name).as_uri()


#: Whole at every width and in every light what people see first; of the others what is most likely to break.
_SIGHTS = [
    sight if sight[0] == "usual" or sight[1:] == (360, "light") else more(*sight)
    for sight in itertools.product(("usual", "partial", "huge"), (360, 1200), ("light", "dark"))
]


def _open(browser: Browser, html: str, scheme: Scheme, width: int) -> tuple[Page, list[str]]:
    """The page, and whatever it complained about or asked for."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: heard.append(asked.url) if asked.url != html else None)
    page.goto(html)
    return page, [one for one in heard if not one.startswith("data:")]


@pytest.mark.parametrize(("name", "width", "scheme"), _SIGHTS, indirect=["name"])
def test_it_opens_silently_and_nothing_overflows(
    browser: Browser, html: str, name: str, scheme: Scheme, width: int, tmp_path: Path
) -> None:
    page, heard = _open(browser, html, scheme, width)
    wide: Any = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    drawings: Any = page.evaluate(_DRAWN)
    folder = Path(SCREENSHOTS or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    for section in page.locator("main > section").all():
        file = folder / f"{name}-{section.locator('h2').get_attribute('id')}-{width}-{scheme}.png"
        section.screenshot(path=file)
    page.close()

    assert heard == []
    assert wide[0] <= wide[1]
    assert len(drawings) >= 4
    assert all(one["size"][0] > 400 and one["size"][1] > 80 for one in drawings), "else nobody can read it"
    assert all(one["room"] <= width for one in drawings)
    assert len(list(folder.glob(f"{name}-*-{width}-{scheme}.png"))) >= 8


@pytest.mark.parametrize("name", ["usual", "partial", "huge", "empty"], indirect=True)
def test_every_link_leads_to_one_place_of_the_page(written: Callable[[str], Path], name: str) -> None:
    page = Parsed(written(name).read_text())

    assert page.unclosed == []
    assert page.fetched == []
    assert [id_ for id_, count in page.ids.items() if count > 1] == []
    assert page.links - set(page.ids) == set()
    assert len(page.links) > 5


def test_every_picture_shows_what_its_table_says(browser: Browser, html: str, name: str) -> None:
    page, _ = _open(browser, html, "light", 1200)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    drawings: Any = page.evaluate(_DRAWN)
    page.close()

    fewest = {one["id"]: _fewest(one) for one in drawings}
    assert {id_: least for id_, least in fewest.items() if least < 1} == {}
    assert [
        (one["id"], one["marks"], fewest[one["id"]]) for one in drawings if one["marks"] < fewest[one["id"]]
    ] == []
    assert _KINDS[name] <= {start for start in _FEWEST for one in drawings if one["id"].startswith(start)}
    if name == "huge":
        assert sum(fewest[one["id"]] for one in drawings if one["id"].startswith("recovery-lease")) == KILLS


def _fewest(drawing: Mapping[str, Any]) -> int:
    (found,) = [count for start, count in _FEWEST.items() if drawing["id"].startswith(start)]
    return found(drawing["rows"])


@pytest.mark.parametrize(
    ("name", "sustained"), [("usual", 0), ("partial", 2), ("huge", len(MANY))], indirect=["name"]
)
def test_the_sustained_rate_is_marked_where_there_is_one(browser: Browser, html: str, sustained: int) -> None:
    page, _ = _open(browser, html, "light", 1200)
    drawings: Any = page.evaluate(_DRAWN)
    page.close()

    assert sum(one["sustained"] for one in drawings) == sustained


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(browser: Browser, html: str, scheme: Scheme) -> None:
    page, _ = _open(browser, html, scheme, 1200)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found: Any = page.evaluate(_CONTRASTS)
    page.close()

    assert len(found) > 200
    assert [one for one in found if one[0] < _ENOUGH] == []


@pytest.mark.parametrize("name", ["usual"], indirect=True)
def test_the_keyboard_reaches_the_answer_and_every_wide_table(browser: Browser, html: str) -> None:
    page, _ = _open(browser, html, "light", 1200)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("window.location.hash !== ''")
    at: Any = page.evaluate("window.location.hash")
    unreached: Any = page.evaluate(
        "[...document.querySelectorAll('.scroll, .drawing')].filter((one) => one.tabIndex !== 0).length"
    )
    unnamed: Any = page.evaluate(
        "[...document.querySelectorAll('svg')].filter((one) => !one.getAttribute('aria-labelledby')"
        ".split(' ').every((id) => document.getElementById(id))).length"
    )
    drawings = page.get_by_role("img").count()
    page.close()

    assert at == "#answer"
    assert unreached == 0
    assert unnamed == 0
    assert drawings >= 5


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_what_stands_behind_a_picture_is_printed(browser: Browser, html: str, scripts: bool) -> None:
    """Whether or not the page's own script may run."""
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(html)
    rows = page.locator("figure + details tbody tr:last-child").all_text_contents()
    printed = page.pdf(format="A4")
    still_closed = page.locator("details:not([open])").count()
    context.close()

    text = _unspaced(text_of(printed))
    hidden = [_unspaced(_SPOKEN.sub("", row)) for row in rows]
    assert pages_of(printed) > 1
    assert len(hidden) >= 4
    assert [row for row in hidden if row not in text] == []
    assert still_closed, "as it was before"


def _unspaced(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", ["usual"], indirect=True)
def test_what_was_closed_is_open_while_it_is_printed_and_closed_afterwards(
    browser: Browser, html: str
) -> None:
    """By the page's script: not every browser prints what a style sheet alone would show."""
    page, _ = _open(browser, html, "light", 1200)
    closed = page.locator("details:not([open])")
    page.evaluate("document.querySelector('details').open = true")
    counts = [closed.count()]
    for event in ("beforeprint", "afterprint"):
        page.evaluate(f"dispatchEvent(new Event('{event}'))")
        counts.append(closed.count())
    opened_by_hand = page.locator("details[open]").count()
    page.close()

    assert counts[0] > 3
    assert counts[1:] == [0, counts[0]]
    assert opened_by_hand == 1


def test_no_table_is_cut_on_paper(browser: Browser, html: str) -> None:
    """As wide as A4 between its margins."""
    page = browser.new_page(viewport={"width": 703, "height": 1000})
    page.goto(html)
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tables: Any = page.evaluate(
        "[...document.querySelectorAll('table')].map((one) => [one.getBoundingClientRect().right, "
        "one.querySelector('caption').innerText])"
    )
    page.close()

    assert len(tables) > 5
    assert [one for one in tables if one[0] > 703] == []
