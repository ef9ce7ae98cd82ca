"""The page of tuned values is what the stored searches found, and their file is one that bakeoff takes."""

from __future__ import annotations

import tomllib

import pytest

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Options, find_contestants
from tests.docs.tuned import FOUND, PAGE, tables

_FOUND = tomllib.loads(FOUND.read_text())


def test_the_page_says_what_the_searches_found() -> None:
    assert "\n".join(tables()).strip() in PAGE.read_text()


@pytest.mark.parametrize("engine", sorted(_FOUND["settings"]))
def test_its_file_is_one_that_bakeoff_takes(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_TUNED", str(FOUND))
    settings = find_contestants(Options(engines=(engine,)), ConfigClass.TUNED)[0].settings
    wanted = _FOUND["settings"][engine]

    assert {name: settings[name] for name in wanted} == wanted
