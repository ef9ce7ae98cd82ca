"""What the contract suite says: by capability, and by module of tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bakeoff.contract.statuses import ContractStatus
from bakeoff.engine import Capability, Survives
from bakeoff_bench.decide.facts import Promise
from bakeoff_bench.report.sources import Source

#: ``{contestant: {capability or module: what is said of it}}``.
Promises = dict[str, dict[str, Promise]]
#: Of one test on one engine; ``None`` where it was not run.
_Result = Mapping[str, Any] | None
#: What an engine can declare that it lacks; that a fault has no process to meet is no lack.
_DECLARABLE = {str(one) for one in (*Capability, *Survives)}


def promised(suites: Sequence[Source]) -> tuple[Promises, Promises]:
    """Capabilities and modules of every contestant; of what several suites tell, the last one counts."""
    capabilities: Promises = defaultdict(dict)
    promises: Promises = defaultdict(dict)
    for suite in suites:
        tests = suite.result["tests"]
        for engine, about in suite.result["engines"].items():
            label, evidence = suite.label(engine), str(suite.path)
            results = {name: test["results"].get(engine) for name, test in tests.items()}
            for name, claim in about["claims"].items():
                asking = {test: one for test, one in results.items() if name in tests[test]["needs"]}
                found = _counted(asking, claim["support"], evidence)
                capabilities[label][name] = replace(found, reason=found.reason or claim["reason"])
            for module in {_module(name) for name in tests}:
                own = {name: one for name, one in results.items() if _module(name) == module}
                absent = next(filter(None, map(_absence, own.values())), "")
                found = _counted(own, "absent" if absent else "", evidence)
                promises[label][module] = replace(found, reason=found.reason or absent)
    return capabilities, promises


def _module(test: str) -> str:
    return test.partition("::")[0]


def _absence(result: _Result) -> str:
    """Why a test was not taken, if it is for something that the engine declares to lack."""
    if result is None or result["status"] != ContractStatus.NOT_SUPPORTED:
        return ""
    reason = str(result["reason"])
    return reason if reason.partition(":")[0] in _DECLARABLE else ""


def _counted(results: Mapping[str, _Result], support: str, evidence: str) -> Promise:
    """``{test: result}`` summed up."""
    failed = [one for one in results.values() if _is(one, ContractStatus.FAILED)]
    unknown = {name: one for name, one in results.items() if one is None or _is(one, ContractStatus.UNKNOWN)}
    return Promise(
        support=support,
        passed=sum(_is(one, ContractStatus.PASSED) for one in results.values()),
        failed=len(failed),
        unknown=len(unknown),
        reason=_reason(failed[0]) if failed else "",
        doubt=next((f"{name.partition('::')[2]}: {_reason(one)}" for name, one in unknown.items()), ""),
        evidence=evidence,
    )


def _is(result: _Result, status: ContractStatus) -> bool:
    return result is not None and result["status"] == status


def _reason(result: _Result) -> str:
    """The first line."""
    return "it was not run" if result is None else str(result["reason"]).strip().partition("\n")[0]
