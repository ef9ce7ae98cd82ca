"""What a person reads at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.cli.options import BUILT_IN_SAGAS
from bakeoff.cli.screen import say, show_table
from bakeoff_bench.run.manifest import shown_settings

_STYLES = {
    "valid": "green",
    "invalid": "bold red",
    "unknown": "yellow",
    "n/a": "dim",
    "not supported": "yellow",
}
_COUNTED = ("completed", "compensated", "compensation_failed", "stuck", "lost", "rejected")
_ONLY_IF_ANY = ("start_unknown", "not_started")

#: Findings that are printed per verdict, and rejections; the JSON holds more.
_SHOWN_FINDINGS = 5
_SHOWN_REJECTIONS = 3


def show_result(result: Mapping[str, Any]) -> None:
    """Print the comparison."""
    engines: Mapping[str, Mapping[str, Any]] = result["engines"]
    orders, saga = result["orders"], result["saga"]
    say()
    say(
        f"saga {saga['name']}, scenario {result['scenario']}, seed {result['seed']}, "
        f"{result['participants']} participants{_bridge(result)}; orders: {orders['source']}"
    )
    say(
        f"{orders['usable']} orders used; {orders['rejected_orders']} orders and "
        f"{orders['rejected_lines']} lines rejected" + (":" if orders["rejected"] else "")
    )
    for item in orders["rejected"][:_SHOWN_REJECTIONS]:
        order = f", order {item['order_id']}" if item["order_id"] else ""
        say(f"  {item['file']}, line {item['line']}{order}: {item['what']} rejected: {item['reason']}")
    if len(orders["rejected"]) > _SHOWN_REJECTIONS:
        say(f"  ... and {len(orders['rejected']) - _SHOWN_REJECTIONS} more (--json and --out list them all)")
    say(
        f"{result['concurrency']} sagas in flight; {result['workers']} worker process(es) with "
        f"{result['slots']} slots per engine; {result['rounds']} interleaved rounds; "
        f"{result['machine']['cpus']} CPUs"
    )
    if not result["complete"]:
        say("THIS RUN WAS BROKEN OFF: counts and verdicts are those of an unfinished run", "yellow")
    say()
    _show_counts(engines)
    say()
    _show_verdicts(engines)
    say()
    _show_speed(engines)
    say()
    _show_engines(engines)
    _show_findings(engines)
    _show_way_out(result)
    say(f"verdict: {result['validity']}", _STYLES.get(result["validity"]))


def _show_counts(engines: Mapping[str, Mapping[str, Any]]) -> None:
    """Observed against expected, as exact integers; one column per engine."""
    numbers = {name: _numbers(about) for name, about in engines.items() if "counts" in about}
    rows = []
    for what in dict.fromkeys(what for counted in numbers.values() for what in counted):
        pairs = [numbers[name].get(what) if name in numbers else None for name in engines]
        expected = {pair[1] for pair in pairs if pair is not None}
        if what in _ONLY_IF_ANY and all(pair is None or pair[0] == 0 for pair in pairs):
            continue
        rows.append(
            [
                what,
                str(expected.pop()) if len(expected) == 1 else "see each",
                *(_cell(pair) for pair in pairs),
            ]
        )
    rows.append(["verdict", "", *(about["validity"] for about in engines.values())])
    show_table(["sagas", "expected", *engines], rows, styles=_STYLES, keys=2)


def _numbers(about: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """``{what: (observed, expected)}``."""
    counts, expected = about["counts"], about["expected"]
    numbers = {what: (counts[what], expected.get(what, 0)) for what in (*_COUNTED, *_ONLY_IF_ANY)}
    duplicates = about["duplicates"]
    return {**numbers, "duplicates attempted": (duplicates["attempted"], duplicates["planned"])}


def _cell(pair: tuple[int, int] | None) -> str:
    if pair is None:
        return "-"
    observed, expected = pair
    return str(observed) if observed == expected else f"{observed}, expected {expected}"


def _show_verdicts(engines: Mapping[str, Mapping[str, Any]]) -> None:
    judged = {name: about["verdicts"] for name, about in engines.items() if "verdicts" in about}
    if not judged:
        return
    first = next(iter(judged.values()))
    rows = [
        [
            verdict["invariant"],
            verdict["title"],
            *(_SHORT.get(one[number]["validity"], one[number]["validity"]) for one in judged.values()),
        ]
        for number, verdict in enumerate(first)
    ]
    show_table(["", "invariant", *judged], rows, styles=_STYLES, keys=2)
    reasons = {
        f"{verdict['invariant']} does not apply: {verdict['reason']}": None
        for verdicts in judged.values()
        for verdict in verdicts
        if verdict["validity"] == "not applicable"
    }
    for reason in reasons:
        say(reason, "dim")


#: A narrow word for the table.
_SHORT = {"not applicable": "n/a"}


def _show_speed(engines: Mapping[str, Mapping[str, Any]]) -> None:
    columns: dict[str, list[str]] = {}
    for name, about in engines.items():
        numbers = about.get("indicative")
        if numbers is None:
            continue
        completed, compensated = numbers["completed"], numbers["compensated"]
        columns[name] = [
            # A rate of sagas that ended as they should not have is no rate of this work.
            _number(numbers["sagas_per_s"], 1) if about["validity"] == "valid" else "void",
            f"{_milliseconds(completed['p50_s'])} / {_milliseconds(completed['p95_s'])}",
            f"{_milliseconds(compensated['p50_s'])} / {_milliseconds(compensated['p95_s'])}",
            _number(about.get("ready_s"), 1),
            _number(numbers["deployment_cpu_s"], 1),
            _number(numbers["harness_cpu_s"], 1),
            _number(numbers["idle_others_cores"], 2),
        ]
    if columns:
        rows = [[what, *(cells[row] for cells in columns.values())] for row, what in enumerate(_SPEED_ROWS)]
        show_table(["indicative, closed loop", *columns], rows)
        say("few sagas, one machine, faults and slow steps included: an order of magnitude, no ranking")
        if any(about.get("cancelled") or about.get("refused") for about in engines.values()):
            say("cancelled orders ran after the clock had stopped: not every engine can cancel")


#: Rows of the indicative numbers.
_SPEED_ROWS = (
    "sagas/s",
    "completed p50 / p95 ms",
    "compensated p50 / p95 ms",
    "stack ready, s",
    "CPU of its servers and workers, s",
    "CPU of this process, s",
    "idle stacks of others, cores",
)


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


def _show_way_out(result: Mapping[str, Any]) -> None:
    """What to do where no saga of the user's own ended as planned: the plan may lack what only it knows."""
    saga = result["saga"]
    if saga["references"] == [BUILT_IN_SAGAS]:
        return
    judged = [about for about in result["engines"].values() if "counts" in about]
    if judged and all(
        about["counts"][what] != number
        for about in judged
        for what, number in about["expected"].items()
        if number and what != "rejected"
    ):
        say(
            f"no count of {saga['name']} is as planned on any engine: if its steps decline by themselves, or "
            "wait for signals, a function facts(input) beside the saga tells bakeoff so (docs/run.md)",
            "yellow",
        )


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


def _bridge(result: Mapping[str, Any]) -> str:
    """What steps and services speak over; runs of before there were bridges do not say."""
    name = result.get("bridge", IN_PROCESS)
    return "" if name == IN_PROCESS else f" over {name}"
