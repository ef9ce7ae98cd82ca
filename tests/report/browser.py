"""The distribution's Chromium, as a reader has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

#: Nothing of its own is fetched; a container has no sandbox for root.
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def chromium() -> str:
    """Its path; leave the test out where it is not installed, but fail where it must be."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if os.environ.get("CI"):
        raise FileNotFoundError("no Chromium; .ci/run installs it from the distribution")
    pytest.skip("not supported here: no Chromium is installed")


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser of its own, gone afterwards."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()
