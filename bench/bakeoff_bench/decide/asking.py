"""``bakeoff decide --init``: a few questions, and a commented file to go on with."""

from __future__ import annotations

import math
from collections.abc import Iterator

import typer
from tomlkit import aot, comment, document, dumps, item, nl, table
from tomlkit.items import Table

from bakeoff.cli.screen import say
from bakeoff.errors import UsageError
from bakeoff_bench.crash.profiles import TWO_POINTS
from bakeoff_bench.decide.at_hand import AtHand
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.musts import ENOUGH_KILLS, upper_end
from bakeoff_bench.decide.reading import FORMAT

_HEAD = (
    "What a choice must satisfy (must) and what would be nice (wish): bakeoff decide THIS-FILE RUNS...",
    "docs/decide.md describes every kind of must and wish. Words behind says are yours.",
)
#: ``(question, fault, words)``.
_SURVIVALS = (
    (
        "Must no order be lost or doubled when a worker process dies?",
        "worker-kill",
        "no harm when a worker dies",
    ),
    (
        "Nor when the broker or server dies and comes back? (takes a `bakeoff crash` beside `bakeoff run`)",
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
#: ``(question, measure, words)``.
_WISHES = (
    ("Is little CPU and memory worth something?", Measure.CPU, "little CPU"),
    (
        "Is a quick recovery worth something? (takes a `bakeoff crash` beside `bakeoff run`)",
        Measure.RECOVERY,
        "a quick recovery",
    ),
    ("Are few servers worth something?", Measure.SERVERS, "few servers"),
)


def ask(known: AtHand) -> str:
    """Ask in the terminal; return the file's text. Enter asks for nothing that ``known`` does not answer.

    Raises:
        UsageError: If there is nothing to write.
    """
    whose = ", ".join(known.places) or "`bakeoff run` alone"
    say(f"A few questions; Enter takes what stands in brackets, all of which {whose} can answer.")
    say("The file can be changed by hand afterwards.")
    file = document()
    for line in _HEAD:
        file.add(comment(line))
    file.add("format", item(FORMAT))
    file.add("title", item(typer.prompt("What is it about?", default="our orders")))
    file.add(nl())
    musts, wishes = aot(), aot()
    for one in _musts(known):
        musts.append(one)
    for one in _wishes(known):
        wishes.append(one)
    if not len(musts) and not len(wishes):
        raise UsageError("nothing is asked for, so no file is written: say yes to something")
    for name, tables in (("must", musts), ("wish", wishes)):
        if len(tables):
            file.append(name, tables)
    return dumps(file)


def _musts(known: AtHand) -> Iterator[Table]:
    for question, fault, says in _SURVIVALS:
        have = known.kills(fault)
        if typer.confirm(question, default=have > 0):
            yield _survives(says, fault, _kills(known, fault))
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


def _kills(known: AtHand, fault: str) -> int:
    """How many without harm, before it is believed: Enter asks for no more than there are."""
    have = known.kills(fault)
    where = ", ".join(known.places) or "`bakeoff run`"
    few = "" if known.places else f"; with --quick {len(TWO_POINTS)}"
    there = f"{where}: at least {have} of each engine{few}" if have else f"{where}: none"
    question = f"  How many such kills, without harm, before that is believed? ({there})"
    wanted = int(typer.prompt(question, default=min(have or ENOUGH_KILLS, ENOUGH_KILLS), type=int))
    return max(1, wanted)


def _survives(says: str, fault: str, kills: int) -> Table:
    """With what so many kills can say, and what they cannot."""
    number = item(kills)
    number.comment("so many without harm, before it is believed")
    entry = _table(says, survives=fault, kills=number)
    for line in _worth(kills):
        entry.add(comment(line))
    return entry


def _worth(kills: int) -> Iterator[str]:
    """What nobody should believe beyond."""
    share, usual = 100 * upper_end(kills), 100 * upper_end(ENOUGH_KILLS)
    yield f"{kills} without harm say that at most {share:.0f} % do any (95 %, Wilson's upper end)."
    if kills < ENOUGH_KILLS:
        yield "So few find an engine that mostly loses what it runs, and miss one that loses it now and then:"
        yield f"{ENOUGH_KILLS} say at most {usual:.0f} %. docs/decide.md says which runs make how many."
    yield f"at_most = {math.ceil(share) / 100}  # surely no larger share; a smaller one takes more kills"


def _wishes(known: AtHand) -> Iterator[Table]:
    for question, of, says in _WISHES:
        usual = 1.0 if known.tells(of) else 0.0
        weight = typer.prompt(f"{question} 0 (no) to 5 (much)", default=usual, type=float)
        if weight > 0:
            yield _table(says, of=str(of), weight=weight)


def _table(says: str, **entries: object) -> Table:
    found = table()
    found.add("says", item(says))
    for name, value in entries.items():
        found.add(name, item(value))
    return found
