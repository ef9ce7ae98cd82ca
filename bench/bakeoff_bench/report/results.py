"""Results as JSON, told apart and looked through: what ``--json`` and ``--contract-json`` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from types import NoneType
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.settings import ConfigClass
from bakeoff_bench.overhead.compare import TARGETS
from bakeoff_bench.overhead.turn import SAGAS
from bakeoff_bench.run import stored

_WHAT = (
    "results (`--json FILE` of run, crash, sweep, load, check, bench lines or bench overhead; "
    "`pytest --contract-json FILE`)"
)
_Kinds = Mapping[str, type | tuple[type, ...]]
#: What every section may ask of a contestant.
CONTESTANT: _Kinds = {
    **dict.fromkeys(("title", "config_class"), str),
    **dict.fromkeys(("versions", "settings"), dict),
}
#: The same of those of a load and of a crash run.
LOADED: _Kinds = {**CONTESTANT, "slug": str, "note": str}
KILLED: _Kinds = {**CONTESTANT, "command": str}
_CONTRACT: _Kinds = {"format": int, "engines": dict, "tests": dict}
_TEST: _Kinds = {"promise": str, "needs": list, "results": dict}
_RESULT: _Kinds = {"status": str, "reason": str}
_LOAD: _Kinds = {
    **dict.fromkeys(("plan", "contestants", "machine"), dict),
    **dict.fromkeys(("blocks", "comparisons"), list),
    "complete": bool,
}
_BLOCK: _Kinds = {
    **dict.fromkeys(("contestant", "block", "phase"), str),
    **dict.fromkeys(("users", "rounds", "void", "arrived", "warm_up", "censored", "stuck"), int),
    **dict.fromkeys(("latencies", "cost"), dict),
    **dict.fromkeys(("why_void", "parts"), list),
    "kept_up": bool,
}
_CRASH: _Kinds = {"manifest": dict, "sums": list, "kills": list}
_KILLS: _Kinds = {"seed": int, "series": list, "participants": str, "contestants": dict}
_KILL: _Kinds = {"series": int, **dict.fromkeys(("contestant", "fault", "point", "outcome"), str)}
#: Of contract results and counted lines; those of an earlier bakeoff have none of it.
_ORIGIN: _Kinds = {"bakeoff": str, "created_at": str, "machine": dict}
_NUMBER = (int, float)
_OVERHEAD: _Kinds = {
    **dict.fromkeys(("rounds", "sagas", "slots"), int),
    "contestants": list,
    "machine": dict,
    "complete": bool,
    "config_class": str,
    "domain_cpu_ms": _NUMBER,
}
_COMPARED: _Kinds = {
    **dict.fromkeys(("comparisons", "versions"), dict),
    **dict.fromkeys(("writers", "differences"), list),
    **dict.fromkeys(("label", "note"), str),
    "ceiling_per_s": _NUMBER,
    "offered_per_s": (*_NUMBER, NoneType),
}
#: Entries of ``[setting, adapter, native]``.
_DIFFERENCE = 3
_RATIO: _Kinds = {
    **dict.fromkeys(("adapter", "native", "ratio"), _NUMBER),
    **dict.fromkeys(("target", "word"), str),
    "interval": (list, NoneType),
    "n": int,
}
_FORMAT = 1
#: What changed between them stands with ``LoadFolder``.
_LOAD_FORMATS = (1, 2)


def results_in(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(kind, result)`` of what the file holds; that of `bakeoff run` may hold its three parts.

    Raises:
        UsageError: If it cannot be read, or holds none.
        TypeError: If one of them is damaged.
    """
    found = _json(file)
    kind = _kind_of(found)
    if kind is not None:
        _CHECKS[kind](found)
        yield kind, found
    parts = [name for name in ("crash", "load") if isinstance(found.get(name), dict)]
    for name in parts:
        _CHECKS[name](found[name])
        yield name, found[name]
    if kind is None and not parts:
        raise UsageError(f"{file} holds no {_WHAT}")


def is_overhead(file: Path) -> bool:
    """Whether this is what `bench overhead --json overhead.json` wrote, and not an earlier bakeoff's."""
    if file.name != "overhead.json":
        return False
    try:
        return _kind_of(_json(file)) == "overhead"
    except (UsageError, TypeError):
        return False


def check_contestants(contestants: Mapping[str, Any], kinds: _Kinds) -> None:
    """Whether sections find what they ask for; ``TypeError`` or ``ValueError`` if not."""
    for name, about in contestants.items():
        stored.check(name, about, kinds)
        ConfigClass(about["config_class"])


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} holds no {_WHAT}: {error}") from error
    stored.check("the result", found, {})
    return dict(found)


def _kind_of(found: Mapping[str, Any]) -> str | None:
    if found.get("kind") in ("lines", "load", "overhead"):
        return str(found["kind"])
    if "manifest" in found and "kills" in found:
        return "crash"
    if "tests" in found:
        return "contract"
    return "run" if "saga" in found and "engines" in found else None


def _check_lines(found: dict[str, Any]) -> None:
    stored.check("lines", found, {"format": int, "engines": dict})
    _check_origin(found)
    for engine, counted in found["engines"].items():
        stored.check(engine, counted, dict.fromkeys(counted, int))
    if "settings" in found:  # of those that were kept before there were any
        stored.check("lines", found, {"settings": dict})
        for engine, settings in found["settings"].items():
            for one in settings:
                stored.check(f"a setting of {engine}", one, _KNOB)


#: Of which values a setting is, is its engine's business.
_KNOB = {"name": str, "default": object, "recommended": object, "serves": list}


def _check_contract(found: dict[str, Any]) -> None:
    stored.check("contract results", found, _CONTRACT)
    _check_origin(found)
    for name, test in found["tests"].items():
        stored.check(name, test, _TEST)
        for label, result in test["results"].items():
            stored.check(f"{name} of {label}", result, _RESULT)
    check_contestants(found["engines"], {**CONTESTANT, "claims": dict})


def _check_origin(found: dict[str, Any]) -> None:
    stored.check("the result", found, {name: kind for name, kind in _ORIGIN.items() if name in found})
    if "machine" in found:
        stored.check("its machine", found["machine"], {"cpus": int})


def _check_load(found: dict[str, Any]) -> None:
    stored.check("the load", found, _LOAD)
    _check_format(found, _LOAD_FORMATS)
    check_contestants(found["contestants"], {**LOADED, "validity": str})
    for block in found["blocks"]:
        stored.check("a block", block, _BLOCK)


def _check_crash(found: dict[str, Any]) -> None:
    stored.check("the crash run", found, _CRASH)
    stored.check("its manifest", found["manifest"], _KILLS)
    _check_format(found["manifest"])
    check_contestants(found["manifest"]["contestants"], KILLED)
    for kill in found["kills"]:
        stored.check("a kill", kill, _KILL)


def _check_run(found: dict[str, Any]) -> None:
    _check_format(found)
    stored.check_manifest(found)
    for engine, about in found["engines"].items():
        stored.check(engine, about, {"validity": str})


def _check_overhead(found: dict[str, Any]) -> None:
    stored.check("the overhead", found, _OVERHEAD)
    _check_format(found)
    for one in found["contestants"]:
        stored.check("a contestant", {"note": "", **one}, _COMPARED)  # an earlier bakeoff kept no note
        for saga, target in product(SAGAS, TARGETS):
            name = f"{target.name} of {saga}"
            stored.check(name, one["comparisons"][saga][target.name], _RATIO)
        if any(len(difference) != _DIFFERENCE for difference in one["differences"]):
            raise ValueError("a difference is not [setting, adapter, native]")


def _check_format(found: Mapping[str, Any], known: Sequence[int] = (_FORMAT,)) -> None:
    if found.get("format") not in known:
        readable = " and ".join(map(str, known))
        raise ValueError(f"it has format {found.get('format')}; this bakeoff reads format {readable}")


_CHECKS = {
    "contract": _check_contract,
    "crash": _check_crash,
    "lines": _check_lines,
    "load": _check_load,
    "overhead": _check_overhead,
    "run": _check_run,
}
