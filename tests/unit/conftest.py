"""A world with a few orders for every test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.clerk import Clerk, make_world


@pytest.fixture
def clerk(tmp_path: Path) -> Iterator[Clerk]:
    world = make_world(tmp_path)
    yield Clerk(world)
    world.close()


@pytest.fixture
def naive_clerk(tmp_path: Path) -> Iterator[Clerk]:
    world = make_world(tmp_path, naive=True)
    yield Clerk(world)
    world.close()
