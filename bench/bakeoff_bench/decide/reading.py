"""``requirements.toml``: what a team asks for, in its own words and in terms that evidence can answer."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.engine import Capability
from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff_bench.decide.decision import Requirements
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.decide.musts import ENOUGH_KILLS, Can, Carries, Keeps, Must, Recovers, Servers, Survives
from bakeoff_bench.decide.wishes import ALIKE, Wish

FORMAT = 1
_MOST = 1e300


class _Entry:
    """One table of the file, whose keys are taken one by one; one that nobody takes is a mistake."""

    def __init__(self, where: str, entry: object) -> None:
        if not isinstance(entry, dict):
            raise UsageError(f"{where}: a table, not {entry!r}")
        self.where = where
        self._left: dict[str, Any] = dict(entry)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not empty."""
        value = self._left.pop(key, default)
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f"{self.where}: {key} = {value!r}: some words, in quotation marks")
        return value

    def number(self, key: str, default: float | None = None, most: float = math.inf) -> float:
        """A positive number."""
        value = self._left.pop(key, default)
        good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most
        if not good or value > _MOST:  # an integer may be too great for a float
            upper = "" if math.isinf(most) else f" up to {most:g}"
            raise UsageError(f"{self.where}: {key} = {value!r}: a positive number{upper}")
        return float(value)

    def flag(self, key: str) -> bool:
        """``true`` or ``false``; ``false`` if it is not there."""
        value = self._left.pop(key, False)
        if not isinstance(value, bool):
            raise UsageError(f"{self.where}: {key} = {value!r}: true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._left.pop(key)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise UsageError(f"{self.where}: {key} = {value!r}: a list of words in quotation marks")
        return tuple(value)

    def done(self) -> None:
        """Nothing may be left."""
        if self._left:
            names = ", ".join(self._left)
            raise UsageError(f"{self.where}: {names}: nothing is known by that name here; see docs/decide.md")


def read_requirements(file: Path) -> Requirements:
    """Read and check the whole file.

    Raises:
        UsageError: With the place and the value that is wrong.
    """
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror}); `bakeoff decide --init` writes one"
        ) from error
    except (ValueError, RecursionError) as error:  # neither UTF-8 nor TOML, or nested without end
        raise UsageError(f"{file}: no TOML: {error}") from error
    whole = _Entry(str(file), found)
    if whole.number("format", 0.5) != FORMAT:
        raise UsageError(f"{file}: format = {found.get('format')!r}: this bakeoff reads format {FORMAT}")
    title = whole.text("title", file.stem)
    only = whole.texts("only") if "only" in whole else ()
    musts = [_must(f"{file}, must {number}", entry) for number, entry in _tables(whole, file, "must")]
    wishes = [_wish(f"{file}, wish {number}", entry) for number, entry in _tables(whole, file, "wish")]
    whole.done()
    if not musts and not wishes:
        raise UsageError(f"{file}: it asks for nothing; write [[must]] and [[wish]] tables")
    return Requirements(title=title, musts=musts, wishes=wishes, only=only)


def _tables(whole: _Entry, file: Path, key: str) -> Sequence[tuple[int, object]]:
    entries = whole._left.pop(key, [])
    if not isinstance(entries, list):
        raise UsageError(f"{file}: {key}: write [[{key}]], with two brackets")
    return list(enumerate(entries, start=1))


def _known(entry: _Entry, key: str, names: Iterable[str], default: str | None = None) -> str:
    """One of these names: a slip would be asked for for ever, and never be answered."""
    name, known = entry.text(key, default), sorted(names)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"{entry.where}: {key} = {name!r} is not known; {hint}")
    return name


def _faults() -> Iterable[str]:
    return Plugins().faults()


def _survives(says: str, entry: _Entry) -> Must:
    return Survives(
        says=says,
        fault=_known(entry, "survives", _faults()),
        kills=max(1, round(entry.number("kills", ENOUGH_KILLS, most=1_000_000))),
        at_most=entry.number("at_most", 1.0, most=1.0),
    )


def _recovers(says: str, entry: _Entry) -> Must:
    within_s = entry.number("recovers_within_s")
    return Recovers(says=says, within_s=within_s, fault=_known(entry, "after", _faults(), "worker-kill"))


def _carries(says: str, entry: _Entry) -> Must:
    return Carries(says=says, rate_per_s=entry.number("rate_per_s"), p95_s=entry.number("p95_s"))


def _can(says: str, entry: _Entry) -> Must:
    capability = _known(entry, "capability", map(str, Capability))
    return Can(says=says, capability=capability, native=entry.flag("native"))


def _keeps(says: str, entry: _Entry) -> Must:
    return Keeps(says=says, promise=entry.text("promise"))


def _servers(says: str, entry: _Entry) -> Must:
    return Servers(says=says, allowed=entry.texts("servers"))


#: ``{the key by which a constraint is known: how it is read}``.
_MUSTS: Mapping[str, Callable[[str, _Entry], Must]] = {
    "survives": _survives,
    "recovers_within_s": _recovers,
    "rate_per_s": _carries,
    "capability": _can,
    "promise": _keeps,
    "servers": _servers,
}


def _must(where: str, found: object) -> Must:
    entry = _Entry(where, found)
    kinds = [key for key in _MUSTS if key in entry]
    if len(kinds) != 1:
        known = ", ".join(_MUSTS)
        given = " and ".join(kinds) or "none"
        raise UsageError(f"{where}: it must have one of {known}; it has {given}")
    must = _MUSTS[kinds[0]](entry.text("says"), entry)
    entry.done()
    return must


def _wish(where: str, found: object) -> Wish:
    entry = _Entry(where, found)
    of = entry.text("of")
    if of not in list(Measure):
        raise UsageError(f"{where}: of = {of!r}: known are {', '.join(Measure)}")
    wish = Wish(
        says=entry.text("says"),
        of=Measure(of),
        weight=entry.number("weight", 1.0),
        alike=entry.number("alike", ALIKE),
    )
    entry.done()
    if wish.alike < 1:
        raise UsageError(f"{where}: alike = {wish.alike:g}: a factor of 1 or more")
    return wish
