"""The dev server and servers of other people."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowExecution

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.errors import UsageError
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff_temporal.connection import connect, tls_of
from bakeoff_temporal.server import TemporalServer
from tests.engines.temporal_stack import temporal_lab

PORTS = {"frontend": 1, "ui": 2, "http": 3, "metrics": 4}


def _server(config_class: ConfigClass, **overrides: str) -> TemporalServer:
    declared = Plugins().engine("temporal").info().settings
    return TemporalServer(resolve("temporal", declared, config_class, overrides))


def _argv(config_class: ConfigClass, **overrides: str) -> str:
    return " ".join(_server(config_class, **overrides).launch(Path("/run"), PORTS).argv)


def test_throttles_are_lifted_as_declared() -> None:
    """Polls are throttled and timers late in ``default`` only."""
    classes = (ConfigClass.DEFAULT, ConfigClass.RECOMMENDED, ConfigClass.CI)
    default, recommended, ci = (_argv(config_class) for config_class in classes)

    assert "history.transferProcessorMaxPollRPS=20 " in default
    for argv in (recommended, ci):
        assert "history.transferProcessorMaxPollRPS=2000 " in argv
        assert "history.timerProcessorMaxPollRPS=2000 " in argv
        assert 'history.timerProcessorMaxTimeShift="10ms"' in argv
    assert 'history.timerProcessorMaxTimeShift="1000ms"' in default


def test_database_is_a_file_but_in_default() -> None:
    """As shipped, the dev server keeps everything in memory."""
    assert "--db-filename" not in _argv(ConfigClass.DEFAULT)
    assert "--sqlite-pragma journal_mode=WAL" in _argv(ConfigClass.RECOMMENDED)
    argv = _argv(ConfigClass.RECOMMENDED, database="file")
    assert "--db-filename" in argv
    assert "--sqlite-pragma" not in argv


def test_raw_settings_become_dynamic_configuration() -> None:
    """``--set-raw`` reaches the server as JSON."""
    declared = Plugins().engine("temporal").info().settings
    raw = {"frontend.namespaceRPS": "100", "system.enableActivityEagerExecution": "true", "some.text": "x"}
    server = TemporalServer(resolve("temporal", declared, ConfigClass.CI, raw=raw))

    argv = list(server.launch(Path("/run"), PORTS).argv)

    assert "frontend.namespaceRPS=100" in argv
    assert "system.enableActivityEagerExecution=true" in argv
    assert 'some.text="x"' in argv


def test_address_comes_from_the_environment_and_secrets_stay_secret() -> None:
    """The variables of the documentation work; the API key is not shown."""
    declared = Plugins().engine("temporal").info().settings
    environ = {"BAKEOFF_TEMPORAL_ADDRESS": "temporal.example:7233", "BAKEOFF_TEMPORAL_API_KEY": "s3cret"}
    settings = resolve("temporal", declared, ConfigClass.RECOMMENDED, environ=environ)

    assert TemporalServer(settings).external_address == "temporal.example:7233"
    assert tls_of(settings) is True
    assert "s3cret" not in str(settings.shown())


def test_half_a_client_certificate_is_refused() -> None:
    """A certificate without its key is the user's mistake."""
    with pytest.raises(UsageError, match="tls_key belong together"):
        tls_of(_server(ConfigClass.CI, address="theirs:7233", tls_cert="cert.pem").settings)
    with pytest.raises(UsageError, match=r"cannot read nowhere\.pem"):
        tls_of(_server(ConfigClass.CI, address="theirs:7233", tls_ca="nowhere.pem").settings)


def test_tls_exported_for_another_server_does_not_lock_us_out_of_ours() -> None:
    """The dev server speaks none."""
    declared = Plugins().engine("temporal").info().settings
    environ = {"BAKEOFF_TEMPORAL_API_KEY": "s3cret", "BAKEOFF_TEMPORAL_TLS_CA": "nowhere.pem"}

    assert tls_of(resolve("temporal", declared, ConfigClass.CI, environ=environ)) is False


@pytest.mark.service
def test_on_a_server_of_our_users_every_name_is_prefixed(tmp_path: Path) -> None:
    """Workflow ids and task queues carry the prefix; the server outlives us; callers see their own ids."""
    with temporal_lab(tmp_path / "theirs", "theirs") as theirs:
        address = theirs.stack.deployment.addresses["temporal"]
        with temporal_lab(
            tmp_path / "ours", "ours", overrides={"address": address}, prefix="bakeoff-x1-"
        ) as ours:
            assert ours.stack.deployment.external == ("temporal",)
            settled = ours.settle(sagas.TRIP)
            workflow_id = settled.started.workflow_id
            found = ours.until("it is listed", lambda: settled.started.listed())

        there = {execution.id: execution for execution in _all(theirs)}

        assert found.workflow_id == workflow_id
        assert settled.outcome.status is Status.COMPLETED
        assert settled.counts == dict.fromkeys(("book_flight", "book_hotel", "book_car", "send_itinerary"), 1)
        assert f"bakeoff-x1-{workflow_id}" in there
        assert all(id.startswith("bakeoff-x1-") for id in there)
        assert {execution.task_queue for execution in there.values()} == {"bakeoff-x1-bakeoff"}


def _all(lab: Lab) -> list[WorkflowExecution]:
    async def fetch() -> list[WorkflowExecution]:
        client = await connect(lab.stack.deployment)
        return [execution async for execution in client.list_workflows("")]

    return lab.thread.call(fetch, 20)


@pytest.mark.service
def test_class_default_runs_sandboxed_and_in_memory(tmp_path: Path) -> None:
    """The shipped values work: completed and compensated sagas, with the sandbox on."""
    with temporal_lab(tmp_path, "default", config_class=ConfigClass.DEFAULT) as lab:
        assert lab.stack.deployment.settings["sandbox"] is True
        settled = lab.settle_all([(sagas.TRIP, {}), (sagas.TRIP, {"book_car:action": {"then": "decline"}})])
        assert not list(tmp_path.glob("**/temporal.db"))

    assert [end.outcome.status for end in settled] == [Status.COMPLETED, Status.COMPENSATED]


def test_every_setting_is_documented() -> None:
    """The page of this engine names each setting and each environment variable's ending."""
    page = (Path(__file__).parents[2] / "docs/engines/temporal.md").read_text()

    for setting in Plugins().engine("temporal").info().settings:
        assert f"`{setting.name}`" in page, setting.name
        if setting.env:
            assert setting.env in page or setting.env.removeprefix("BAKEOFF_TEMPORAL") in page, setting.env
