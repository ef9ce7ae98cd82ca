"""Services written with PURISTA in a Node process of their own, on a NATS server or under an engine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.purista.node import Node, find_node, install_packages

from bakeoff.bridge.bridges import choose_bridge
from bakeoff.contract.stack_thread import StackThread
from bakeoff.errors import EngineUnavailableError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from tests.purista.services import Shop
from tests.tiers import more


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the packages, or the report that they cannot be had."""
    return node_or_report()


def node_or_report() -> Node:
    """Find Node and install the packages; where they cannot be had that is reported, and in CI an error.

    Raises:
        EngineUnavailableError: In CI, if they cannot be had.
    """
    try:
        found = find_node()
        install_packages(found)
    except EngineUnavailableError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"not supported here: {missing}")
    return found


@pytest.fixture(scope="module", params=[more("inline"), "temporal", "dramatiq"])
def shop(
    request: pytest.FixtureRequest, node: Node, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """An engine whose steps have no services but those of PURISTA."""
    engine = Plugins().engine(request.param)
    folder: Path = tmp_path_factory.mktemp(request.param)
    thread = StackThread(
        StackPlan(
            engine=engine,
            settings=resolve(request.param, engine.info().settings, ConfigClass.CI),
            folder=folder,
            bridge=choose_bridge("nats"),
            staffed=False,
        )
    )
    stack = thread.start()
    try:
        shop = Shop(stack, thread, node, folder / "purista.db")
        shop.open()
        try:
            yield shop
        finally:
            shop.close()
    finally:
        stack.launcher.hurry()
        thread.stop()


@pytest.fixture
def run() -> Iterator[asyncio.Runner]:
    """An event loop for one test."""
    with asyncio.Runner() as runner:
        yield runner
