"""``bakeoff decide --init``: a few questions, and a commented file to go on with."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import typer
from tomlkit import aot, comment, document, dumps, item, nl, table
from tomlkit.items import Table

from bakeoff.cli.options import choose_saga
from bakeoff.cli.screen import say
from bakeoff_bench.crash.points import points_of
from bakeoff_bench.decide import work
from bakeoff_bench.decide.decision import Requirements
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.musts import Must, Servers, Survives
from bakeoff_bench.decide.reading import FORMAT

_HEAD = (
    "What a choice must satisfy (must) and what would be nice (wish): bakeoff decide THIS-FILE RUNS...",
    "docs/decide.md describes every kind of must and wish. Words behind says are yours.",
)
#: ``(question, fault, words, whether Enter asks for it)``: `bakeoff run` kills workers, and no server.
_SURVIVALS = (
    (
        "Must no order be lost or doubled when a worker process dies?",
        "worker-kill",
        "no harm when a worker dies",
        True,
    ),
    (
        "Nor when the broker or server dies and comes back? (takes a `bakeoff crash` beside `bakeoff run`)",
        "server-kill",
        "no harm when the broker or server dies",
        False,
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
#: ``(question, measure, words, weight that Enter gives)``: `bakeoff run` recovers with short leases.
_WISHES = (
    ("Is little CPU and memory worth something?", Measure.CPU, "little CPU", 1.0),
    (
        "Is a quick recovery worth something? (takes a `bakeoff crash` beside `bakeoff run`)",
        Measure.RECOVERY,
        "a quick recovery",
        0.0,
    ),
    ("Are few servers worth something?", Measure.SERVERS, "few servers", 1.0),
)
#: What a whole `bakeoff run` tells of every contestant.
_OF_A_RUN = (Measure.CPU, Measure.MEMORY, Measure.PROCESSES, Measure.SERVERS)


def ask() -> str:
    """Ask in the terminal; return the file's text."""
    say("A few questions; Enter takes what stands in brackets, and `bakeoff run` alone answers all of that.")
    say("The file can be changed by hand afterwards.")
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
    for question, fault, says, usual in _SURVIVALS:
        if typer.confirm(question, default=usual):
            entry = _table(says, survives=fault)
            entry.add(comment("kills = 20  # without harm, before it is believed"))
            yield entry
    say("What follows down to the servers takes the contract suite, or a load of its own.")
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
    for question, of, says, usual in _WISHES:
        weight = typer.prompt(f"{question} 0 (no) to 5 (much)", default=usual, type=float)
        if weight > 0:
            yield _table(says, of=str(of), weight=weight)


def _table(says: str, **entries: object) -> Table:
    found = table()
    found.add("says", item(says))
    for name, value in entries.items():
        found.add(name, item(value))
    return found


def advice(file: Path, asked: Requirements) -> Iterator[str]:
    """What to do next: the run, what it does not answer, the decision."""
    more = beyond_a_run(asked)
    yield f"evidence: bakeoff run --out runs/first (kills a worker once at each of {_points()} points)"
    for command in more:
        yield f"what it asks for beyond that: {command}"
    places = " ".join(["runs/first", *(["RUN..."] if more else [])])
    yield f"then: bakeoff decide {shlex.quote(str(file))} {places}"


def beyond_a_run(asked: Requirements) -> list[str]:
    """Commands for what a whole `bakeoff run` leaves unknown, each once."""
    commands = [must.judge(Facts(label="any")).work for must in asked.musts if not _is_answered(must)]
    commands += [work.measure(wish.of) for wish in asked.wishes if wish.of not in _OF_A_RUN]
    return list(dict.fromkeys(commands))


def _is_answered(must: Must) -> bool:
    """By one kill of a worker at every point, and by what was started."""
    kills = isinstance(must, Survives) and must.fault == "worker-kill" and must.wanted <= _points()
    return kills or isinstance(must, Servers)


def _points() -> int:
    """Of the saga that `bakeoff run` kills by itself."""
    saga, _ = choose_saga("order")
    return len(points_of(saga))
