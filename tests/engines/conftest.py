"""Engines for several modules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.shared import Shared


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Down again before the tests of another folder count what is left."""
    shared = Shared(tmp_path_factory.mktemp)
    try:
        yield shared
    finally:
        shared.close()
