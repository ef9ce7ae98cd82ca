"""What a person reads at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.run.conduct import shown_settings

_STYLES = {
    "valid": "green",
    "invalid": "bold red",
    "unknown": "yellow",
    "not applicable": "dim",
    "not supported": "yellow",
}
_COUNTED = ("completed", "compensated", "compensation_failed", "stuck", "lost", "rejected")
_WRONG = ("start_unknown", "not_started")

#: Findings that are printed per verdict; the JSON holds more.
_SHOWN_FINDINGS = 5


def show_result(result: Mapping[str, Any]) -> None:
    """Print the comparison."""
    engines: Mapping[str, Mapping[str, Any]] = result["engines"]
    orders, saga = result["orders"], result["saga"]
    say()
    say(
        f"saga {saga['name']}, scenario {result['scenario']}, seed {result['seed']}, "
        f"{result['participants']} participants; orders: {orders['source']}"
    )
    say(
        f"{orders['usable']} orders used; {orders['rejected_orders']} orders and "
        f"{orders['rejected_lines']} lines rejected (rejected.jsonl)"
    )
    say()
    _show_counts(engines)
    say()
    _show_verdicts(engines)
    say()
    _show_speed(engines)
    say()
    _show_engines(engines)
    _show_findings(engines)
    if not result["complete"]:
        say("this run was broken off", "yellow")
    say(f"verdict: {result['validity']}", _STYLES.get(result["validity"]))


def _show_counts(engines: Mapping[str, Mapping[str, Any]]) -> None:
    """Observed against expected, as exact integers."""
    rows = []
    for name, about in engines.items():
        if "counts" not in about:
            rows.append([name, *("-" for _ in _COUNTED), "-", "-", about["validity"]])
            continue
        expected = {**about["expected"], "stuck": 0, "lost": 0, "rejected": about["counts"]["rejected"]}
        cells = [_against(about["counts"][what], expected[what]) for what in _COUNTED]
        odd = {what: about["counts"][what] for what in _WRONG if about["counts"][what]}
        duplicates = about["duplicates"]
        rows.append(
            [
                name,
                *cells,
                _against(duplicates["attempted"], duplicates["planned"]),
                ", ".join(f"{number} {what}" for what, number in odd.items()) or "0",
                about["validity"],
            ]
        )
    show_table(["engine", *_COUNTED, "duplicates attempted", "not started", "verdict"], rows, styles=_STYLES)
    say("a number alone was expected exactly so; `3 (expected 5)` was not")


def _against(observed: int, expected: int) -> str:
    return str(observed) if observed == expected else f"{observed} (expected {expected})"


def _show_verdicts(engines: Mapping[str, Mapping[str, Any]]) -> None:
    judged = {name: about["verdicts"] for name, about in engines.items() if "verdicts" in about}
    if not judged:
        return
    first = next(iter(judged.values()))
    rows = [
        [f"{verdict['invariant']}", verdict["title"], *(one[number]["validity"] for one in judged.values())]
        for number, verdict in enumerate(first)
    ]
    show_table(["", "invariant", *judged], rows, styles=_STYLES)


def _show_speed(engines: Mapping[str, Mapping[str, Any]]) -> None:
    rows = []
    for name, about in engines.items():
        numbers = about.get("indicative")
        if numbers is None:
            continue
        completed, compensated = numbers["completed"], numbers["compensated"]
        rows.append(
            [
                name,
                _number(numbers["sagas_per_s"], 1),
                _milliseconds(completed["p50_s"]),
                _milliseconds(completed["p95_s"]),
                _milliseconds(compensated["p50_s"]),
                _milliseconds(compensated["p95_s"]),
                _number(about.get("ready_s"), 1),
                _number(numbers["deployment_cpu_s"], 1),
                _number(numbers["idle_others_cores"], 2),
            ]
        )
    if not rows:
        return
    show_table(
        [
            "indicative, closed loop",
            "sagas/s",
            "completed p50",
            "p95 ms",
            "compensated p50",
            "p95 ms",
            "ready s",
            "CPU s",
            "idle others, cores",
        ],
        rows,
    )
    say("few sagas, one machine, planned faults and slow steps included: an order of magnitude, no ranking")


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f}"


def _show_engines(engines: Mapping[str, Mapping[str, Any]]) -> None:
    for name, about in engines.items():
        versions = ", ".join(f"{what} {number}" for what, number in about["versions"].items())
        say(f"{name}: {about['title']}; {versions}")
        say(f"  class {about['config_class']}: {shown_settings(about) or 'no settings'}")
        say(f"  durability: {about['durability']}" + (f"; {about['note']}" if about["note"] else ""))
        for need, reason in about["lacking"].items():
            say(f"  not supported: {need}: {reason}", "yellow")
        for note in about["notes"]:
            say(f"  {note}")
        if about.get("worker_restarts"):
            say(f"  workers restarted {about['worker_restarts']} times", "yellow")
        if about.get("cancelled"):
            say(f"  {about['cancelled']} cancelled orders were cancelled while they ran")


def _show_findings(engines: Mapping[str, Mapping[str, Any]]) -> None:
    for name, about in engines.items():
        if about.get("reason"):
            say(f"{name}: {about['reason']}", "yellow")
        for verdict in about.get("verdicts", ()):
            if verdict["validity"] in ("valid", "not applicable"):
                continue
            say(f"{name}, {verdict['invariant']} {verdict['validity']}: {verdict['reason']}", "red")
            for finding in verdict["findings"][:_SHOWN_FINDINGS]:
                say(f"  {finding}")
            if verdict["violations"] > _SHOWN_FINDINGS:
                say(f"  ... and {verdict['violations'] - _SHOWN_FINDINGS} more")
        for workflow_id, steps in list(about.get("unfinished_hold", {}).items())[:_SHOWN_FINDINGS]:
            say(f"{name}: {workflow_id} still holds {', '.join(steps)}", "yellow")
