"""From stored runs to facts."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bakeoff.engine import Capability, Survives
from bakeoff_bench.crash.cells import cell_of
from bakeoff_bench.crash.declared import gap_of
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.decide.facts import Facts, Kills, Load, Measure, Promise
from bakeoff_bench.report.sections.costs import blocks_of
from bakeoff_bench.report.sections.loaded import latencies_of, open_blocks
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

_MB = 1_000_000
_SILENT = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)
#: What a server that is not the production one has in its note; its capacity says nothing of that.
_DEV = "dev server"


def facts_of(sources: Sequence[Source]) -> list[Facts]:
    """Facts of every contestant of these runs; of what several runs measured, the last one counts."""
    abouts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for source in sources:
        for label, about in source.contestants.items():
            abouts[label].append(about)
    kills, loads, measures = _kills(sources), _loads(sources), _measures(sources)
    capabilities, promises = _contract(sources)
    return [
        Facts(
            label=label,
            kills=kills.get(label, {}),
            loads=loads.get(label, ()),
            capabilities=capabilities.get(label, {}),
            promises=promises.get(label, {}),
            servers=next((one["servers"] for one in reversed(own) if "servers" in one), None),
            measures=measures.get(label, {}),
            stand_in=_stand_in(own),
        )
        for label, own in sorted(abouts.items())
    ]


def _stand_in(abouts: Sequence[Mapping[str, Any]]) -> str:
    """By the last run that says which servers it had: what was measured there counts."""
    noted = [str(about["note"]) for about in abouts if "note" in about]
    if noted and _DEV in noted[-1]:
        return "its dev server stands in for one of production, whose capacity is unknown"
    return ""


def _kills(sources: Sequence[Source]) -> dict[str, dict[str, Kills]]:
    """All kills of a contestant together, of however many runs: harm is never forgotten.

    Services without keys show what the keys prevent; that is no engine's failing.
    """
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    runs: dict[tuple[str, str], Source] = {}
    short = set()
    for run in of_kind(sources, Kind.CRASH):
        if run.about["participants"] != "idempotent":
            continue
        for row in run.result["kills"]:
            key = (row["contestant"], row["fault"])
            if row["outcome"] not in _SILENT:
                rows[key].append(row)
                runs[key] = run
                if (
                    row.get("lease_s") is not None
                    and "short leases" in run.about["series"][row["series"]]["title"]
                ):
                    short.add(key)
    found: dict[str, dict[str, Kills]] = defaultdict(dict)
    for key, own in rows.items():
        (label, fault), run, summed = key, runs[key], cell_of(own)
        found[label][fault] = Kills(
            judged=summed.judged,
            harmed=summed.harmed,
            upper=summed.harm[1] if summed.harm else None,
            recovered_s=summed.recovery.seen_s,
            unrecovered=summed.recovery.censored + summed.recovery.never,
            evidence=str(run.path),
            gap=gap_of(run.about["contestants"][label], fault),
            short_leases=key in short,
        )
    return found


def _loads(sources: Sequence[Source]) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = defaultdict(list)
    for run in of_kind(sources, Kind.LOAD):
        if run.result["plan"]["fault"] is None:
            for label, load in (*_single_loads(run), *_pooled_loads(run)):
                found[label].append(load)
    return found


def _single_loads(run: Source) -> Iterator[tuple[str, Load]]:
    """Every load by itself, those of the search included; one whose ledger is invalid was not carried."""
    for row in run.loads:
        measured = row["measured"]
        if row["users"] or measured["void"] or measured["validity"] == "unknown":
            continue
        yield (
            row["contestant"],
            Load(
                offered_per_s=measured["offered_per_s"],
                p95_s=latencies_of(measured).get("p95"),
                kept_up=measured["kept_up"] and measured["validity"] == "valid",
                evidence=str(run.path),
            ),
        )


def _pooled_loads(run: Source) -> Iterator[tuple[str, Load]]:
    """All rounds of a load: together they may have the values that a percentile needs."""
    for label in run.result["contestants"]:
        for block in open_blocks(run, label):
            yield (
                label,
                Load(
                    offered_per_s=block["offered_per_s"],
                    p95_s=latencies_of(block).get("p95"),
                    kept_up=block["kept_up"],
                    evidence=str(run.path),
                ),
            )


def _measures(sources: Sequence[Source]) -> dict[str, dict[Measure, tuple[float, str]]]:
    found: dict[str, dict[Measure, tuple[float, str]]] = defaultdict(dict)

    def note(label: str, measure: Measure, value: float | None, run: Source) -> None:
        if value is not None:
            found[label][measure] = (float(value), str(run.path))

    for label, by_fault in _kills(sources).items():
        killed = by_fault.get("worker-kill")
        if killed is not None and killed.recovered_s and not killed.unrecovered and not killed.short_leases:
            found[label][Measure.RECOVERY] = (statistics.median(killed.recovered_s), killed.evidence)
    for run in of_kind(sources, Kind.LOAD):
        for label, block in blocks_of(run).items():
            cost = block["cost"]
            memory = cost.get("steady_memory_bytes.total")
            note(label, Measure.CPU, cost.get("cpu_s.total"), run)
            note(label, Measure.MEMORY, None if memory is None else memory / _MB, run)
            note(label, Measure.PROCESSES, cost.get("most_processes.total"), run)
        common = _common_rates(run)
        for label, about in run.result["contestants"].items():
            note(label, Measure.RATE, (about.get("sustained") or {}).get("rate_per_s"), run)
            kept = [one for one in open_blocks(run, label) if one["kept_up"] and one["block"] in common]
            if kept:
                note(label, Measure.P95, latencies_of(kept[-1]).get("p95"), run)
    return found


def _common_rates(run: Source) -> set[str]:
    """Loads that offered everybody the same: only there latencies compare."""
    rates: dict[str, set[float]] = defaultdict(set)
    for block in run.result["blocks"]:
        rates[block["block"]].add(float(block["rate"]))
    return {name for name, found in rates.items() if len(found) == 1 and found != {0.0}}


def _contract(
    sources: Sequence[Source],
) -> tuple[dict[str, dict[str, Promise]], dict[str, dict[str, Promise]]]:
    """By capability, and by module of the suite."""
    capabilities: dict[str, dict[str, Promise]] = defaultdict(dict)
    promises: dict[str, dict[str, Promise]] = defaultdict(dict)
    for suite in of_kind(sources, Kind.CONTRACT):
        tests = suite.result["tests"]
        for engine, about in suite.result["engines"].items():
            label, evidence = suite.label(engine), str(suite.path)
            for name, claim in about["claims"].items():
                asking = [test["results"].get(engine) for test in tests.values() if name in test["needs"]]
                counted = _counted(asking)
                reason = counted[2] or claim["reason"]
                capabilities[label][name] = _promise(claim["support"], counted, reason, evidence)
            for module in {name.partition("::")[0] for name in tests}:
                own = [
                    test["results"].get(engine)
                    for name, test in tests.items()
                    if name.partition("::")[0] == module
                ]
                counted = _counted(own)
                absent = next(filter(None, map(_absence, own)), "")
                support = "absent" if absent else ""
                promises[label][module] = _promise(support, counted, counted[2] or absent, evidence)
    return capabilities, promises


#: What an engine can declare that it lacks; that a fault has no process to meet is no lack.
_DECLARABLE = {str(one) for one in (*Capability, *Survives)}


def _absence(result: Mapping[str, Any] | None) -> str:
    """Why a test was not taken, if it is for something that the engine declares to lack."""
    if result is None or result["status"] != "not supported":
        return ""
    reason = str(result["reason"])
    return reason if reason.partition(":")[0] in _DECLARABLE else ""


def _counted(results: Sequence[Mapping[str, Any] | None]) -> tuple[int, int, str]:
    """Passed, failed, and why the first failed."""
    passed = sum(one is not None and one["status"] == "passed" for one in results)
    failed = [one for one in results if one is not None and one["status"] == "failed"]
    return passed, len(failed), str(failed[0]["reason"]).strip().partition("\n")[0] if failed else ""


def _promise(support: str, counted: tuple[int, int, str], reason: str, evidence: str) -> Promise:
    passed, failed, _ = counted
    return Promise(support=support, passed=passed, failed=failed, reason=reason, evidence=evidence)
