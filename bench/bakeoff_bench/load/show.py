"""A load run as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.load.bystanders import MOST_OTHERS
from bakeoff_bench.load.comparison import sentences
from bakeoff_bench.load.costs import show_costs
from bakeoff_bench.load.words import ends_of, in_time, length_of, partly_overloaded, speed_words
from bakeoff_bench.load.world_alone import is_bound_by_the_world

_STYLES = {"valid": "green", "invalid": "bold red", "unknown": "yellow"}
_COLUMNS = (
    "contestant",
    "block",
    "loop",
    "rounds",
    "sagas",
    "offered /s",
    "started /s",
    "settled /s",
    "p50 s",
    "p90 s",
    "p95 s",
    "p99 s",
    "told p95 s",
    "open at last",
)


def show(result: Mapping[str, Any]) -> None:
    """Per block the numbers of all rounds; what was found by the search; what is void, and why."""
    plan = result["plan"]
    for contestant in result["contestants"]:
        of_one = [block for block in result["blocks"] if block["contestant"] == contestant]
        _warn_of_void(contestant, of_one)
    for status in ("completed", "compensated"):
        # Who keeps more pays for it, so those that keep the same stand together.
        for tier in dict.fromkeys(about["durability"] for about in result["contestants"].values()):
            rows = [
                _row(block, kind, status)
                for block in result["blocks"]
                for kind in _kinds(block, status)
                if block["arrived"] and result["contestants"][block["contestant"]]["durability"] == tier
            ]
            if rows:
                say()
                say(f"{plan['scenario']}, {status} sagas, seconds from the intended start", style="bold")
                say(f"durability: {tier}")
                show_table(_COLUMNS, rows, keys=2)
    _show_parts(result["blocks"])
    _show_comparisons(result)
    _show_search(result)
    _show_limits(result)
    _show_faults(result["blocks"])
    show_costs(result)
    say()
    rows = [
        [name, about["validity"], about["durability"], about["note"]]
        for name, about in result["contestants"].items()
    ]
    show_table(["contestant", "ledger", "durability", "note"], rows, _STYLES)
    _explain(result)


def _row(block: Mapping[str, Any], kind: str, status: str) -> list[str]:
    settled = block["latencies"].get(f"{kind}-{status}-settled", {})
    told = block["latencies"].get(f"{kind}-{status}-told", {})
    return [
        block["contestant"],
        block["block"] + (f", {kind}" if kind == "slow" else ""),
        "closed" if block["users"] else "open",
        str(block["rounds"] - block["void"]),
        str(settled.get("n", 0)),
        "" if block["users"] else _number(block["offered_per_s"]),
        _number(block["achieved_per_s"]),
        _number(block["settled_per_s"]),
        *(_seconds(settled.get(p), block) for p in ("p50", "p90", "p95", "p99")),
        _seconds(told.get("p95"), block),
        f"{block['censored']} open" if block["censored"] else "none",
    ]


def _kinds(block: Mapping[str, Any], status: str) -> Sequence[str]:
    end = f"-{status}-settled"
    return [name.removesuffix(end) for name in block["latencies"] if name.endswith(end)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _seconds(value: float | None, block: Mapping[str, Any]) -> str:
    if value is None:
        return "too few"
    # Under overload a percentile tells how long the load lasted, and nothing about the engine.
    return f"{value:.3f}" + ("" if block["kept_up"] else " !")


def _show_parts(blocks: Sequence[Mapping[str, Any]]) -> None:
    """A load that changes, or is long, part by part."""
    rows = [
        [
            block["contestant"],
            block["block"],
            f"{part['from_s']:g}-{part['until_s']:g} s",
            str(part["latency"]["n"]),
            _number(part["offered_per_s"]),
            *(_seconds(part["latency"].get(p), part) for p in ("p50", "p90", "p95")),
            str(part["open_at_end"]),
            "" if part["memory_bytes"] is None else f"{part['memory_bytes'] / 1e6:.0f}",
        ]
        for block in blocks
        for part in block["parts"]
    ]
    if rows:
        say()
        say("part by part: completed sagas that arrived then, seconds from the intended start", style="bold")
        columns = ["contestant", "block", "part", "sagas", "offered /s", "p50 s", "p90 s", "p95 s"]
        show_table([*columns, "open at its end", "memory MB"], rows, keys=3)


def _warn_of_void(contestant: str, blocks: Sequence[Mapping[str, Any]]) -> None:
    for block in blocks:
        if block["void"]:
            why = "; ".join(block["why_void"])
            left_out = f"{block['void']} of {block['rounds']} rounds are left out"
            say(f"{contestant}, {block['block']}: {left_out}: {why}", style="yellow")
        if block["stuck"]:
            left = f"{block['stuck']} sagas are stuck or lost"
            why = "they had not settled when everything else was over, and longer than a lease"
            say(f"{contestant}, {block['block']}: {left}: {why}", style="bold red")


def _show_comparisons(result: Mapping[str, Any]) -> None:
    if result["comparisons"]:
        say()
        say("against each other, over the same rounds", style="bold")
        show_table(["block, metric", "pair", "what can be said", "rounds"], list(sentences(result)))


def _show_search(result: Mapping[str, Any]) -> None:
    rows = [
        [name, *_found(found)]
        for name, about in result["contestants"].items()
        if (found := about.get("sustained"))
    ]
    if rows:
        say()
        slo_s = result["plan"]["slo_s"]
        say(f"highest rate that was sustained with a 95th percentile of at most {slo_s:g} s", style="bold")
        show_table(["contestant", "sagas/s", "confirmed", "not sustained /s", "because"], rows)


def _found(found: Mapping[str, Any]) -> list[str]:
    rate, failed = found["rate_per_s"], found["failed_per_s"]
    if rate is None:
        said = f"none; closest: {found['closest']}"
    else:
        said = f"{rate:.1f}" if failed is not None else f"at least {rate:.1f}"
    # Those of an older run were believed as the search left them.
    confirmed = f"{found['confirmed']} of {found['of']}" if found.get("of") else "no"
    end = ends_of(found)
    return [said, confirmed, _number(failed), found["why"] + end]


def _show_limits(result: Mapping[str, Any]) -> None:
    """What rates stand against: the World without an engine, and the generator without workers."""
    if world := result.get("world"):
        say()
        spread = world["orders_per_s_of_tries"]
        say(
            f"services and ledger alone: {world['orders_per_s']:.0f} orders/s ({min(spread):.0f} to "
            f"{max(spread):.0f}), {world['cpu_ms_per_order']:.2f} ms of CPU per order "
            f"({min(world['cpu_ms_of_tries']):.2f} to {max(world['cpu_ms_of_tries']):.2f})"
        )
        for name, about in result["contestants"].items():
            if is_bound_by_the_world(about.get("throughput_per_s"), world):
                said = "above half of that, so its rates say little about the engine"
                say(f"  {name}: {about['throughput_per_s']:.0f} sagas/s, {said}", style="yellow")
    rows = [
        [
            name,
            f"{alone['offered_per_s']:.1f}",
            f"{alone['started_per_s']:.1f}",
            "; ".join(alone["void"]) or "kept up",
        ]
        for name, about in result["contestants"].items()
        if (alone := about.get("generator_alone"))
    ]
    if rows:
        say()
        say("the generator alone, workers off, at three times the sustained rate", style="bold")
        show_table(["contestant", "offered /s", "started /s", "generator"], rows)


def _show_faults(blocks: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [
            block["contestant"],
            block["block"],
            fault["fault"],
            str(fault["in_flight"]),
            str(fault["in_flight_lost"]),
            _number(fault["silent_s"]),
            _number(fault["recovery_s"]) or "not seen",
            "not seen" if fault["drained_s"] is None else _number(fault["drained_s"]),
            f"{fault['open_before']} -> {fault['open_after']}",
            f"{fault['lowest_share_before']:.0%} -> {fault['lowest_share']:.0%}",
            # Older runs did not say.
            f"{_number(fault.get('hit_p50_s')) or '?'}, {_number(fault.get('hit_slowest_s')) or '?'}",
        ]
        for block in blocks
        for fault in block["faults"]
        if not fault["missed"]
    ]
    if rows:
        say()
        say("what the fault cost, seconds", style="bold")
        columns = ["contestant", "block", "fault", "in flight", "lost", "silence", "all in flight over"]
        tail = ["lowest rate", "those in flight: p50, slowest"]
        show_table([*columns, "drained", "open at once", *tail], rows, keys=2)


def _explain(result: Mapping[str, Any]) -> None:
    plan = result["plan"]
    if words := in_time(result):
        say(words)
    say(
        f"arrivals: {plan['process']}, {length_of(result)}, {plan['warm_up_s']:g} s of it warm-up that is "
        f"left out; {plan['workers']} x {plan['slots']} slots; settled: last record of the plan in the ledger"
    )
    if plan["cpus"] is not None:
        deployment, generator = (len(part) for part in plan["cpus"])
        say(f"CPUs: {deployment} for the servers and workers of each engine, {generator} for the generator")
    if disturbed := [block for block in result["blocks"] if block["others"] > MOST_OTHERS]:
        most = max(block["others"] for block in disturbed)
        say(
            f"others used up to {most:.0%} of this machine's CPUs beside {len(disturbed)} of "
            f"{len(result['blocks'])} blocks: their numbers are too bad",
            style="yellow",
        )
    if words := speed_words(result):
        say(words)
    if any(not block["kept_up"] for block in result["blocks"]):
        say("!: the backlog grew, so these measure how long the load lasted, not the engine")
    for words in partly_overloaded(result):
        say(words)
    say("too few: fewer values than a percentile needs (p50 5, p90 50, p95 100, p99 1000, pooled)")
    if plan["quality"] == "indicative":
        say("indicative: few rounds; `--profile publishable` takes hours and gives intervals")
