"""A search as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff.plugins import Plugins

#: Of a table of candidates.
COLUMNS = ("knob", "candidate", "sagas/s", "ratio", "rounds", "word")


def show(engine: str, result: Mapping[str, Any]) -> None:
    """Every candidate of every stage, what was kept, and what a fresh comparison says of it.

    The engine's note stands with the rates, as it is where no option says otherwise: a server of the user's
    own has another one, and what was set is not part of a result.
    """
    say()
    say(f"{engine}: every candidate against what had been kept before it, in closed loops", style="bold")
    show_table(COLUMNS, rows_of(result), {"kept": "green"}, keys=2)
    if note := Plugins().engine(engine).info().note:
        say(f"{engine}, unless --set says otherwise: {note}")
    if own_ms := result.get("cpu_ms_per_order"):
        say(f"services and ledger alone: {own_ms:.2f} ms of CPU per order")
    say(f"{engine}: {result['word']}")


def rows_of(result: Mapping[str, Any]) -> list[list[str]]:
    """A row per candidate, under ``COLUMNS``; the rate is the median of its rounds."""
    return [
        [stage["knob"], _words(one["changes"]), *_numbers(one), _word(stage, one)]
        for stage in result["stages"]
        for one in stage["tried"]
    ]


def _words(changes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={text}" for name, text in changes.items()) or "recommended"


def _numbers(one: Mapping[str, Any]) -> list[str]:
    rates = sorted(one["rates_per_s"])
    if not rates:
        return ["", "", "0"]
    return [f"{rates[len(rates) // 2]:.1f}", f"{one['ratio']:.2f}" if one["ratio"] else "", str(len(rates))]


def _word(stage: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    if one["problem"]:
        return str(one["problem"])
    if stage["taken"] is None:
        return "kept" if one is stage["tried"][0] else ""
    return "kept" if one["changes"] == stage["taken"] else ""
