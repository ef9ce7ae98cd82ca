"""Saboteurs around real engines: real servers, real worker processes, one broken promise each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bakeoff.deployment import Deployment
from bakeoff.engine import (
    Capability,
    Claim,
    EngineClient,
    EngineInfo,
    HasScheduler,
    HasWindows,
    OrchestrationEngine,
    Support,
    Survives,
)
from bakeoff.outcome import Outcome, Status
from bakeoff.plugins import Plugins
from bakeoff.processes import Launch
from bakeoff.saga import JSON, Saga
from bakeoff.servers import Server
from bakeoff.settings import SettingsInForce, Value
from bakeoff.world import Window


class Around:
    """An engine whose worker processes run ``tests.saboteurs.worker`` with a cheat, or a cheating client.

    ``worker_settings`` are those that a worker is given on its command line.
    """

    def __init__(
        self,
        engine: str,
        *,
        worker_cheat: str | None = None,
        worker_settings: Mapping[str, Value] | None = None,
        client: type[ClientAround] | None = None,
        survives: frozenset[Survives] = frozenset(),
    ) -> None:
        self.name = engine
        self._engine = Plugins().engine(engine)
        self._worker_cheat = worker_cheat
        self._worker_settings = worker_settings or {}
        self._client = client
        self._survives = survives

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """The honest engine's claims, and what it only pretends to survive."""
        info = self._engine.info(settings)
        return replace(info, survives=info.survives | self._survives)

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """The honest engine's servers."""
        return self._engine.servers(settings)

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """The honest engine's command, with the cheat in front of its module."""
        values = {**deployment.settings.values, **self._worker_settings}
        deployment = replace(deployment, settings=replace(deployment.settings, values=values))
        argv = list(self._engine.worker_command(deployment))
        if self._worker_cheat is None:
            return argv
        place = argv.index("-m") + 1
        return [*argv[:place], "tests.saboteurs.worker", self._worker_cheat, *argv[place:]]

    def windows(self, saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
        """The honest engine's windows."""
        assert isinstance(self._engine, HasWindows)
        return self._engine.windows(saga, settings)

    async def connect(self, deployment: Deployment) -> EngineClient:
        """The honest engine's client, or a cheat around it."""
        client = await self._engine.connect(deployment)
        return self._client(client) if self._client is not None else client


class WithScheduler(Around):
    """Around an engine with a scheduler process; it may also pretend to have ``claimed``."""

    def __init__(self, engine: str, *, claimed: Capability | None = None, **more: Any) -> None:
        super().__init__(engine, **more)
        self._claimed = claimed

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """The honest engine's claims, and the one that it only pretends to have."""
        info = super().info(settings)
        if self._claimed is None:
            return info
        claim = Claim(Support.NATIVE, "claimed by a saboteur")
        return replace(info, claims={**info.claims, self._claimed: claim})

    def scheduler_command(self, deployment: Deployment) -> Sequence[str]:
        """The honest engine's scheduler."""
        assert isinstance(self._engine, HasScheduler)
        return self._engine.scheduler_command(deployment)


class WithForgetfulBroker(Around):
    """Its first server starts on an empty folder every time, as one without persistence does."""

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """The honest engine's servers, the first one forgetful."""
        first, *others = self._engine.servers(settings)
        return (Forgetful(first), *others)


class Forgetful:
    """Passes everything on, but empties its folder before a start."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        shutil.rmtree(folder)
        folder.mkdir()
        return self._server.launch(folder, ports)


class ClientAround:
    """Passes everything on to the real client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class CallsEverythingCompleted(ClientAround):
    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        outcome: Outcome = await self._client.result(workflow_id, timeout_s)
        return Outcome(Status.COMPLETED, outcome.results)


class DropsSignals(ClientAround):
    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        return True


class DropsCancels(ClientAround):
    async def cancel(self, workflow_id: str) -> None:
        return None


#: The one that breaks nothing, with real workers.
HONEST_REAL = "honest_dramatiq"

_DOUBTFUL = "test_recovery::test_step_declined_after_its_process_died_is_undone"
_DECLINE = "test_compensation::test_decline_at_each_step_undoes_the_steps_before_it_in_reverse[book_car]"

#: ``{name: (engine, the test that must notice)}``.
REAL: dict[str, tuple[Callable[[], OrchestrationEngine], str]] = {
    "dramatiq_skips_a_compensation": (
        lambda: Around("dramatiq", worker_cheat="skips_a_compensation"),
        _DECLINE,
    ),
    "dramatiq_loses_the_cause": (
        lambda: Around("dramatiq", worker_cheat="loses_the_cause"),
        "test_outcome::test_cause_of_exhausted_retries",
    ),
    "dramatiq_forgets_undos_that_died": (
        lambda: Around("dramatiq", worker_cheat="forgets_undos_that_died"),
        "test_recovery::test_crash_at_every_point_of_an_undo[undo_book_hotel.before_effect]",
    ),
    "dramatiq_forgets_attempts_that_died": (
        lambda: Around("dramatiq", worker_cheat="forgets_attempts_that_died"),
        f"{_DOUBTFUL}[book_car.after_effect, then declined]",
    ),
    "dramatiq_acts_without_keys": (
        lambda: Around("dramatiq", worker_cheat="acts_without_keys"),
        "test_recovery_zombie::test_worker_that_comes_back_from_the_dead[before an effect]",
    ),
    "dramatiq_never_looks_for_its_broker_again": (
        lambda: Around(
            "dramatiq",
            worker_cheat="tries_no_connection_again",
            worker_settings={"restart_delay_ms": 3_600_000},
        ),
        "test_recovery_broker::test_saga_goes_on_when_its_server_is_back[not started]",
    ),
    "dramatiq_refuses_sagas_of_an_earlier_version": (
        lambda: Around("dramatiq", worker_cheat="refuses_earlier_versions"),
        "test_recovery_deploy::test_saga_in_flight_ends_well_under_a_new_version[acting]",
    ),
    "dramatiq_runs_old_code": (
        lambda: Around("dramatiq", worker_cheat="runs_old_code"),
        "test_recovery_deploy::test_saga_started_after_the_deploy_has_the_new_step",
    ),
    HONEST_REAL: (lambda: Around("dramatiq"), ""),
    "temporal_forgets_the_route": (
        lambda: Around("temporal", worker_cheat="forgets_the_route"),
        "test_recovery_deploy::test_saga_in_flight_ends_well_under_a_new_version[undoing]",
    ),
    "celery_acts_twice": (
        lambda: Around("celery", worker_cheat="acts_twice"),
        "test_forward::test_all_steps_act_once_in_order",
    ),
    "celery_acknowledges_before_it_acts": (
        lambda: Around(
            "celery", worker_cheat="acknowledges_early", survives=frozenset({Survives.WORKER_KILL})
        ),
        "test_survival::test_acknowledged_sagas_survive_the_kill_of_all_workers",
    ),
    "celery_loses_the_brokers_data": (
        lambda: WithForgetfulBroker("celery", survives=frozenset({Survives.BROKER_KILL})),
        "test_survival::test_acknowledged_sagas_survive_the_kill_of_the_broker",
    ),
    "celery_starts_periods_again": (
        lambda: WithScheduler("celery", worker_cheat="starts_periods_again"),
        "test_recovery_scheduler::test_scheduler_that_was_killed_starts_no_period_twice",
    ),
    "celery_claims_to_catch_up": (
        lambda: WithScheduler("celery", claimed=Capability.CATCH_UP),
        "test_recovery_scheduler::test_periods_that_were_missed_are_made_up",
    ),
    "celery_calls_everything_completed": (
        lambda: Around("celery", client=CallsEverythingCompleted),
        "test_outcome::test_the_engines_word_is_the_ledgers",
    ),
    "temporal_retries_declines": (
        lambda: Around("temporal", worker_cheat="retries_declines"),
        "test_retry::test_decline_is_not_retried",
    ),
    "temporal_drops_signals": (
        lambda: Around("temporal", client=DropsSignals),
        "test_signals::test_payload_of_a_signal_is_the_result_of_its_wait",
    ),
    "temporal_drops_cancels": (
        lambda: Around("temporal", client=DropsCancels),
        "test_cancel::test_cancel_while_waiting_compensates",
    ),
}
