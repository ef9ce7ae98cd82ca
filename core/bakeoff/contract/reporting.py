"""Turns pytest's reports into the four statuses, prints the matrix and compares it with the reviewed one."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.contract.command import command_of
from bakeoff.contract.contestants import Contestant
from bakeoff.contract.duration import announcement
from bakeoff.contract.matrix import matrix_lines
from bakeoff.contract.results import Result, Results
from bakeoff.contract.session import contestants_of, results_of
from bakeoff.contract.statuses import ContractStatus, NotJudged, NotSupported
from bakeoff.engine import Capability, Support, Survives
from bakeoff.settings import ConfigClass

#: Parameter that carries the engine; the tests' own parameters come after it in a test id.
PARAMETER = "contestant"

#: What is survived at any moment is survived while no message is in transit.
_AT_ANY_MOMENT = {
    Survives.STEP_KILL: Survives.WORKER_KILL,
    Survives.BROKER_RESTART: Survives.BROKER_KILL,
}


def contestant_of(item: pytest.Item) -> Contestant | None:
    """The engine under test; ``None`` for a test that is no contract test."""
    callspec = getattr(item, "callspec", None)
    label = callspec.params.get(PARAMETER) if callspec is not None else None
    return contestants_of(item.config).get(label) if isinstance(label, str) else None


def test_name(item: pytest.Item, label: str) -> str:
    """``module::test[parameters]`` without the engine."""
    name, bracket, parameters = item.name.partition("[")
    rest = parameters.removesuffix("]").removeprefix(label).removeprefix("-")
    return f"{item.path.stem}::{name}" + (f"{bracket}{rest}]" if rest else "")


test_name.__test__ = False  # type: ignore[attr-defined]


def needs_of(item: pytest.Item) -> tuple[Capability | Survives, ...]:
    """What the test and its module ask for, each once."""
    marks = list(item.iter_markers("requires"))
    return tuple(dict.fromkeys(need for mark in reversed(marks) for need in mark.args))


def reason_against(item: pytest.Item, contestant: Contestant) -> str | None:
    """Why the engine cannot take this test by its own declaration; ``None`` if it can."""
    for need in needs_of(item):
        if isinstance(need, Survives):
            if not {need, _AT_ANY_MOMENT.get(need)} & contestant.info.survives:
                return f"{need}: not among what {contestant.name} declares to survive"
            continue
        claim = contestant.info.claims.get(need)
        if claim is None:
            pytest.fail(f"{contestant.name} declares nothing about {need}", pytrace=False)
        if claim.support is Support.ABSENT:
            return f"{need}: {claim.reason}"
    return None


class ContractReporter:
    """A pytest plug-in, registered as soon as the contract suite is collected."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @property
    def _results(self) -> Results:
        return results_of(self._config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self) -> None:
        """The reviewed matrix tells what engines do; what was found over a bridge is compared with it."""
        over = {one.bridge.name for one in contestants_of(self._config).values()} - {IN_PROCESS}
        if over and self._config.getoption("--contract-store"):
            raise pytest.UsageError(
                f"--contract-store --bridge {', '.join(over)}: the reviewed matrix is of steps without a "
                "bridge, and over one the statuses must be the same; leave --bridge out to store them"
            )

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> str | None:
        """Say how long the whole suite takes; of a part of it, or with longer leases, nobody knows."""
        option, contestants = self._config.option, contestants_of(self._config).values()
        kills = {item.get_closest_marker("recovery") is not None for item in items if contestant_of(item)}
        if option.collectonly or option.keyword or option.verbose < 0 or kills != {True, False}:
            return None
        if any(one.settings.config_class is not ConfigClass.CI for one in contestants):
            return None
        return announcement([(one.label, one.info) for one in contestants])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A capability declared absent ends the test before the engine is brought up."""
        contestant = contestant_of(item)
        reason = reason_against(item, contestant) if contestant else None
        if reason is not None:
            raise NotSupported(reason)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Find the status, and let the reviewed one decide between green and red."""
        report = yield
        contestant = contestant_of(item)
        if contestant is None or report.when == "teardown":
            return report
        reason = ""
        if call.excinfo is not None and isinstance(call.excinfo.value, NotJudged):
            status, reason = call.excinfo.value.status, str(call.excinfo.value)
            # Only to pytest it is a skip: a set-up that "passed" would be followed by the test itself.
            report.outcome, report.longrepr = "skipped", (str(item.path), 0, f"{status}: {reason}")
        elif report.failed:
            status = ContractStatus.FAILED
            reason = call.excinfo.exconly(tryshort=True) if call.excinfo else "failed"
        elif report.when == "call" and report.passed:
            status = ContractStatus.PASSED
        else:
            return report
        test = test_name(item, contestant.label)
        # Plain values: tests may run in other processes than the one that prints the matrix.
        report.contract_result = {  # type: ignore[attr-defined]
            "test": test,
            "label": contestant.label,
            "status": str(status),
            "promise": _promise(item),
            "needs": [str(need) for need in needs_of(item)],
            "reason": reason,
            "seconds": report.duration,
        }
        self._judge(report, test, contestant.label, status, reason)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result, wherever the test ran."""
        about = getattr(report, "contract_result", None)
        if about is not None:
            self._results.add(
                Result(**{**about, "status": ContractStatus(about["status"]), "needs": tuple(about["needs"])})
            )

    def _judge(
        self, report: pytest.TestReport, test: str, label: str, status: ContractStatus, reason: str
    ) -> None:
        reviewed = self._results.reviewed_status(test, label)
        if self._config.getoption("--contract-store"):
            reviewed = status
        report.contract_status = str(status)  # type: ignore[attr-defined]
        if reviewed is status and status is ContractStatus.FAILED:
            report.outcome, report.longrepr = "skipped", (test, 0, f"failed as reviewed: {reason}")
        elif reviewed not in (status, None):
            found = f"{test} on {label}: {status}, but reviewed as {reviewed}"
            longrepr = str(report.longrepr) if report.failed else reason
            report.longrepr = f"{longrepr}\n{found}; look at it, then store it with --contract-store".strip()
            report.outcome = "failed"

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
        """Name what is neither passed nor failed; such results are shown, not hidden as skips."""
        told = getattr(report, "contract_status", None)
        status = None if told is None else ContractStatus(told)
        if status is None or report.outcome == "failed" or status is ContractStatus.PASSED:
            return None
        if status is ContractStatus.FAILED:
            return "failed as reviewed", "f", ("FAILED AS REVIEWED", {"yellow": True})
        letter = "n" if status is ContractStatus.NOT_SUPPORTED else "?"
        return str(status), letter, (str(status).upper(), {"cyan": True})

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Print the matrix of tests and engines."""
        if not self._results.found:
            return
        terminalreporter.section("contract matrix")
        # As wide as everything else that pytest prints: 80 where that goes into a file or a pipe.
        for line in matrix_lines(self._results, self._config.get_terminal_writer().fullwidth):
            terminalreporter.write_line(line)
        for label, one in contestants_of(self._config).items():
            if one.bridge.name != IN_PROCESS:
                terminalreporter.write_line(
                    f"{label}: over {one.bridge}, compared with what was reviewed without"
                )
        unreviewed = [label for label in self._results.labels() if label not in self._results.reviewed]
        if unreviewed and not self._config.getoption("--contract-store"):
            terminalreporter.write_line(f"nobody has reviewed: {', '.join(unreviewed)} (--contract-store)")

    def pytest_sessionfinish(self) -> None:
        """Write what was asked for."""
        if not self._results.found:
            return
        if self._config.getoption("--contract-store"):
            self._results.store()
        target = self._config.getoption("--contract-json")
        if target:
            contestants = contestants_of(self._config)
            engines = {label: _describe(contestant) for label, contestant in contestants.items()}
            secrets = {f"{one.name}.{name}" for one in contestants.values() for name in one.settings.secrets}
            command = command_of(map(str, self._config.invocation_params.args), secrets)
            Path(target).write_text(json.dumps(self._results.to_json(engines, command), indent=1) + "\n")


def _promise(item: pytest.Item) -> str:
    documented = getattr(getattr(item, "obj", None), "__doc__", None) or ""
    return " ".join(documented.strip().split("\n\n")[0].split())


def _describe(contestant: Contestant) -> dict[str, object]:
    info = contestant.info
    return {
        "title": info.title,
        "versions": dict(info.versions),
        "config_class": str(contestant.settings.config_class),
        "bridge": str(contestant.bridge),
        "settings": contestant.settings.shown(),
        "claims": {
            str(capability): {"support": str(claim.support), "reason": claim.reason}
            for capability, claim in info.claims.items()
        },
        "survives": sorted(str(item) for item in info.survives),
    }


__all__ = ["PARAMETER", "ContractReporter", "contestant_of", "reason_against", "test_name"]
