"""The page in a real browser: light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from bakeoff.cli.main import run
from tests.report.browser import opened

pytestmark = pytest.mark.service

Scheme = Literal["light", "dark"]
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
    if (['STYLE', 'title', 'desc'].includes(element.tagName)) continue;
    const inDrawing = element.closest('svg') !== null;
    const style = getComputedStyle(element);
    const [a, b] = [light(inDrawing ? style.fill : style.color), light(behind(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walk.currentNode.textContent.trim()]);
  }
  return found.sort((one, other) => one[0] - other[0]);
}"""
#: WCAG 2, level AA.
_ENOUGH = 4.5


@pytest.fixture(scope="module")
def html(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "report.html"
    assert run(["report", str(runs), "-o", str(file)]) == 0
    return file.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as one:
        yield one


def _open(browser: Browser, html: str, scheme: Scheme, width: int) -> tuple[Page, list[str]]:
    """The page, and whatever it complained about or asked for."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: heard.append(asked.url) if asked.url != html else None)
    page.goto(html)
    return page, [one for one in heard if not one.startswith("data:")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_opens_silently_and_nothing_overflows(
    browser: Browser, html: str, scheme: Scheme, width: int
) -> None:
    page, heard = _open(browser, html, scheme, width)
    wide: Any = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    drawings: Any = page.evaluate(
        "[...document.querySelectorAll('svg')].map((one) => one.getBoundingClientRect())"
        ".map((one) => [one.width, one.height])"
    )
    page.close()

    assert heard == []
    assert wide[0] <= wide[1]
    assert len(drawings) >= 5
    assert all(200 < size[0] <= width and size[1] > 80 for size in drawings)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(browser: Browser, html: str, scheme: Scheme) -> None:
    page, _ = _open(browser, html, scheme, 1200)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found: Any = page.evaluate(_CONTRASTS)
    page.close()

    assert len(found) > 200
    assert [one for one in found if one[0] < _ENOUGH] == []


def test_the_keyboard_reaches_the_answer_and_every_wide_table(browser: Browser, html: str) -> None:
    page, _ = _open(browser, html, "light", 1200)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("window.location.hash !== ''")
    at: Any = page.evaluate("window.location.hash")
    unreached: Any = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter((one) => one.tabIndex !== 0).length"
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
