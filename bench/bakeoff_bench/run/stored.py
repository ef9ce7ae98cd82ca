"""What a stored run must hold, so that damage is told in one line before anything is judged or printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bakeoff.errors import UsageError

_Kinds = Mapping[str, type | tuple[type, ...]]
_NUMBER = (int, float)

_RUN: _Kinds = {
    "complete": bool,
    "scenario": str,
    "saga": dict,
    "orders": dict,
    "seed": int,
    "rounds": int,
    "concurrency": int,
    "workers": int,
    "slots": int,
    "participants": str,
    "machine": dict,
    "engines": dict,
}
_SAGA: _Kinds = {"name": str, "references": list, "shape": dict}
_ORDERS: _Kinds = {"source": str, "usable": int, "rejected_lines": int, "rejected_orders": int}
_MACHINE: _Kinds = {"cpus": int}
_ENGINE: _Kinds = {
    "title": str,
    "note": str,
    "versions": dict,
    "config_class": str,
    "settings": dict,
    "changed": list,
    "raw": dict,
    "durability": str,
    "lacking": dict,
    "silent": str,
    "notes": list,
    "blocks": list,
}
_BLOCK: _Kinds = dict.fromkeys(("seconds", "harness_cpu_s", "deployment_cpu_s", "idle_others_cpu_s"), _NUMBER)
_REJECTED: _Kinds = {"what": str, "file": str, "line": int, "order_id": str, "reason": str}
_WORKLOAD: _Kinds = {"stock": dict, "counts": dict, "notes": list}


def check_manifest(manifest: Mapping[str, Any]) -> None:
    """Whether everything that a judgement and its tables need is there.

    Raises:
        TypeError: If something is missing, or is of another type.
    """
    check("the manifest", manifest, _RUN)
    for name, kinds in (("saga", _SAGA), ("orders", _ORDERS), ("machine", _MACHINE)):
        check(name, manifest[name], kinds)
    for engine, about in manifest["engines"].items():
        check(engine, about, _ENGINE)
        for block in about["blocks"]:
            check(f"a block of {engine}", block, _BLOCK)


def check_rejected(item: Any) -> None:
    """One of the rejected lines and orders; errors as in ``check_manifest``."""
    check("a line", item, _REJECTED)


def check_workload(about: Any) -> None:
    """What was planned in sum; errors as in ``check_manifest``."""
    check("the workload", about, _WORKLOAD)
    for name in ("stock", "counts"):
        check(name, about[name], dict.fromkeys(about[name], int))


def check(what: str, found: Any, kinds: _Kinds) -> None:
    """Whether ``found``, called ``what`` in messages, is an object with entries of these kinds.

    Raises:
        TypeError: If something is missing, or is of another type.
    """
    if not isinstance(found, dict):
        raise TypeError(f"{what} is {type(found).__name__}, not an object")
    for name, kind in kinds.items():
        if name not in found:
            raise TypeError(f"{what} has no {name!r}")
        if not isinstance(found[name], kind):
            raise TypeError(f"{name!r} of {what} is {type(found[name]).__name__}")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever goes wrong while ``path`` is read is its damage.

    Raises:
        UsageError: With the path and the reason.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise  # not of a file that was opened here: standard output is on a full disk
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except SQLAlchemyError as error:
        raise UsageError(f"{path} is damaged: {getattr(error, 'orig', None) or error}") from error
    except KeyError as error:
        raise UsageError(f"{path} is damaged: there is no {error}") from error
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise UsageError(f"{path} is damaged: {error}") from error
