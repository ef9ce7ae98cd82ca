"""What an engine declares absent becomes a result, not a crash."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.cli.options import ChosenEngine
from bakeoff.engine import Capability, Claim, EngineInfo, Support
from bakeoff.orders import ORDER, ORDER_APPROVAL_TIMEOUT, ORDER_PARALLEL, ORDER_PIVOT
from bakeoff.orders.loader import real_orders
from bakeoff.saga import Saga
from bakeoff.settings import ConfigClass, SettingsInForce, resolve
from bakeoff_bench.run.conduct import conduct
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.plan import RunPlan, contestants
from bakeoff_bench.run.result import result_of
from bakeoff_bench.run.tables import show_result
from bakeoff_inline.engine import InlineEngine
from bakeoff_scenarios import find_scenario, needs_of


class Poorer(InlineEngine):
    """The in-process engine, declaring some capabilities absent."""

    def __init__(self, *absent: Capability) -> None:
        self._absent = absent

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        info = super().info(settings)
        gone = {capability: Claim(Support.ABSENT, f"no {capability} here") for capability in self._absent}
        return replace(info, claims={**info.claims, **gone})


def _run(tmp_path: Path, engine: InlineEngine, saga: Saga, count: int = 40) -> dict[str, object]:
    plan = RunPlan(
        engines=[ChosenEngine(engine, resolve("inline", engine.info().settings, ConfigClass.CI))],
        saga=saga,
        references=("bakeoff.orders",),
        scenario=find_scenario("orders"),
        book=real_orders().take(count),
        seed=1,
        rounds=2,
        concurrency=16,
        workers=1,
        slots=4,
        ledger="sqlite",
        participants="idempotent",
        prefix="test-",
    )
    folder = RunFolder.create(tmp_path / "run")
    asyncio.run(conduct(plan, contestants(plan), folder, time.monotonic()))
    return result_of(folder)


def test_engine_that_cannot_cancel_refuses_cancelled_orders_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = _run(tmp_path, Poorer(Capability.CANCEL), ORDER)
    inline = result["engines"]["inline"]  # type: ignore[index]
    show_result(result)

    assert result["validity"] == "valid"
    assert (inline["cancelled"], inline["refused"]) == (0, 2)
    assert (
        "2 cancelled orders are refused at their first step instead: no cancel here"
        in capsys.readouterr().out
    )


def test_saga_that_needs_an_absent_capability_is_not_supported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = _run(tmp_path, Poorer(Capability.PARALLEL), ORDER_PARALLEL)
    show_result(result)

    assert result["engines"]["inline"]["validity"] == "not supported"  # type: ignore[index]
    assert result["validity"] == "unknown"  # nothing was judged
    assert "not supported: parallel: no parallel here" in capsys.readouterr().out


def test_engine_that_tells_no_outcome_is_judged_by_the_ledger_alone(tmp_path: Path) -> None:
    result = _run(tmp_path, Poorer(Capability.OUTCOME), ORDER)
    verdicts = result["engines"]["inline"]["verdicts"]  # type: ignore[index]

    assert result["validity"] == "valid"
    assert verdicts[-1]["validity"] == "not applicable"
    assert verdicts[-1]["reason"] == "no outcome here"


def test_needs_follow_from_the_saga() -> None:
    assert Capability.PIVOT in needs_of(ORDER_PIVOT)
    assert Capability.PARALLEL in needs_of(ORDER_PARALLEL)
    assert {Capability.SIGNALS, Capability.WAIT_TIMEOUT} <= set(needs_of(ORDER_APPROVAL_TIMEOUT))
    assert not {Capability.PIVOT, Capability.SIGNALS, Capability.TIMERS} & set(needs_of(ORDER))
