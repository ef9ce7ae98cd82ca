"""Links into Temporal's web UI: one that was just seen to work, or a phrase on how to get one."""

from __future__ import annotations

import asyncio

import pytest

from bakeoff.deployment import Deployment
from bakeoff.errors import UsageError
from bakeoff.outcome import Page
from bakeoff.patience import page_of
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from tests.engines.web_ui import web_ui

_OWN = {"address": "theirs:7233"}


def _page(overrides: dict[str, str], pages: dict[str, str] | None = None, prefix: str = "") -> Page:
    plugin = Plugins().engine("temporal")
    deployment = Deployment(
        engine="temporal",
        settings=resolve("temporal", plugin.info().settings, ConfigClass.CI, overrides),
        addresses={},
        world_url="",
        prefix=prefix,
        external=("temporal",) if "address" in overrides else (),
        pages=pages or {},
    )
    found = asyncio.run(page_of(plugin, deployment, "order-123"))
    assert found is not None
    assert bool(found.url) != bool(found.how)
    return found


def test_the_dev_servers_own_page_leads_to_the_newest_run() -> None:
    with web_ui("order-123") as ui:
        found = _page({}, {"Temporal UI": f"{ui}/namespaces/default/workflows"})

    assert found.url == f"{ui}/namespaces/default/workflows/order-123/run-1/history"


def test_a_server_of_your_own_knows_the_saga_by_its_prefix() -> None:
    with web_ui("mine-order-123") as ui:
        found = _page({**_OWN, "ui": f"{ui}/"}, prefix="mine-")

    assert found.url == f"{ui}/namespaces/default/workflows/mine-order-123/run-1/history"


@pytest.mark.parametrize(
    ("status", "told"), [(404, "knows no such saga"), (401, "HTTP 401"), (503, "HTTP 503")]
)
def test_a_ui_that_does_not_show_it_is_no_link(status: int, told: str) -> None:
    with web_ui(status=status) as ui:
        found = _page({**_OWN, "ui": ui})

    assert told in found.how
    assert ui in found.how


def test_a_ui_that_is_gone_is_no_link() -> None:
    with web_ui("order-123") as ui:
        pass

    assert _page({**_OWN, "ui": ui}).how == f"none answers at {ui}"


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({}, "bakeoff up --engine temporal"),
        ({"server": "time-skipping"}, "the time-skipping test server has none"),
        (_OWN, "--set temporal.ui="),
    ],
)
def test_where_none_is_known_a_phrase_says_how_to_get_one(overrides: dict[str, str], told: str) -> None:
    assert told in _page(overrides).how


@pytest.mark.parametrize("ui", ["localhost:8080", "file:///etc/passwd", "http://me:secret@there:8080"])
def test_an_address_that_nobody_can_open_or_that_holds_a_secret_is_refused(ui: str) -> None:
    plugin = Plugins().engine("temporal")
    settings = resolve("temporal", plugin.info().settings, ConfigClass.CI, {**_OWN, "ui": ui})

    with pytest.raises(UsageError, match=r"temporal\.ui=") as refused:
        plugin.servers(settings)
    assert "secret" not in str(refused.value)


def test_an_engine_without_a_web_ui_has_no_page() -> None:
    plugin = Plugins().engine("inline")
    settings = resolve("inline", plugin.info().settings, ConfigClass.CI, {})
    deployment = Deployment(engine="inline", settings=settings, addresses={}, world_url="")

    assert asyncio.run(page_of(plugin, deployment, "order-123")) is None


class _Hangs:
    """An engine whose web UI never answers."""

    name = "hangs"

    async def page_of(self, deployment: Deployment, workflow_id: str) -> Page:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


def test_a_plug_in_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakeoff.patience.PAGE_WITHIN_S", 0.05)
    deployment = Deployment(
        engine="hangs", settings=resolve("hangs", [], ConfigClass.CI), addresses={}, world_url=""
    )

    found = asyncio.run(page_of(_Hangs(), deployment, "order-123"))  # type: ignore[arg-type]

    assert found == Page(how="hangs: page_of() was not answered within 0.05 s")
