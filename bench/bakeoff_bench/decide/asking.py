"""``bakeoff decide --init``: a few questions, and a commented file to go on with."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from tomlkit import aot, comment, document, dumps, item, nl, table
from tomlkit.items import Table

from bakeoff.cli.screen import say
from bakeoff_bench.decide.reading import FORMAT

_HEAD = (
    "What a choice must satisfy (must) and what would be nice (wish): bakeoff decide THIS-FILE RUNS...",
    "docs/decide.md describes every kind of must and wish. Words behind says are yours.",
)
_SURVIVALS = (
    (
        "May an order be lost or doubled when a worker process dies?",
        "worker-kill",
        "no harm when a worker dies",
    ),
    (
        "May one be when the broker or server dies and comes back?",
        "server-kill",
        "no harm when the broker or server dies",
    ),
)
_CAPABILITIES = (
    (
        "Does a saga wait for people or events (approvals)?",
        "signals",
        "a saga waits for a person or an event",
    ),
    ("Must a running saga be cancelled, and undone?", "cancel", "a running saga can be cancelled"),
    ("Does a saga sleep for hours or days?", "long_timers", "a saga sleeps for days"),
    ("Must everything that happened to a saga be kept, to be read?", "event_history", "every event is kept"),
)


def ask() -> str:
    """Ask in the terminal; return the file's text."""
    say("A few questions; Enter takes what stands in brackets. The file can be changed by hand afterwards.")
    file = document()
    for line in _HEAD:
        file.add(comment(line))
    file.add("format", item(FORMAT))
    file.add("title", item(typer.prompt("What is it about?", default="our orders")))
    file.add(nl())
    musts, wishes = aot(), aot()
    for one in _musts():
        musts.append(one)
    for one in _wishes():
        wishes.append(one)
    for name, tables in (("must", musts), ("wish", wishes)):
        if len(tables):
            file.append(name, tables)
    return dumps(file)


def _musts() -> Iterator[Table]:
    for question, fault, says in _SURVIVALS:
        if not typer.confirm(question, default=False):
            entry = _table(says, survives=fault)
            entry.add(comment("kills = 20  # without harm, before it is believed"))
            yield entry
    for question, capability, says in _CAPABILITIES:
        if typer.confirm(question, default=False):
            entry = _table(says, capability=capability)
            entry.add(comment("native = true  # the engine's own, no pattern around it"))
            yield entry
    rate = typer.prompt(
        "How many sagas per second at the busiest time? (0: no matter)", default=0.0, type=float
    )
    if rate > 0:
        p95_s = typer.prompt("Within how many seconds must 95 % of them be over?", default=2.0, type=float)
        yield _table(f"p95 of at most {p95_s:g} s at {rate:g} sagas per second", rate_per_s=rate, p95_s=p95_s)
    servers = typer.prompt(
        "Which servers may have to be operated? (valkey, rabbitmq, temporal dev server; all)", default="all"
    )
    if servers.strip() != "all":
        allowed = [word.strip() for word in servers.split(",") if word.strip()]
        yield _table(f"no server to operate besides {', '.join(allowed) or 'none'}", servers=allowed)


def _wishes() -> Iterator[Table]:
    for question, of, says in (
        ("Is little CPU and memory worth something?", "cpu", "little CPU"),
        ("Is a quick recovery worth something?", "recovery", "a quick recovery"),
        ("Are few servers worth something?", "servers", "few servers"),
    ):
        weight = typer.prompt(f"{question} 0 (no) to 5 (much)", default=1.0, type=float)
        if weight > 0:
            yield _table(says, of=of, weight=weight)


def _table(says: str, **entries: object) -> Table:
    found = table()
    found.add("says", item(says))
    for name, value in entries.items():
        found.add(name, item(value))
    return found
