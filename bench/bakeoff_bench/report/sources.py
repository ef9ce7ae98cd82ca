"""What a report rests on: folders of ``run``, ``crash``, ``sweep`` and ``load``, contract results."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.folder import CrashFolder, is_crash_folder
from bakeoff_bench.crash.result import result_of as crash_result
from bakeoff_bench.load.extra import check_extra, is_load_folder
from bakeoff_bench.report.names import label_of, short_names
from bakeoff_bench.run import stored
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.journal import MANIFEST, Row
from bakeoff_bench.run.result import result_of as run_result
from bakeoff_bench.run.said import shown_again
from bakeoff_bench.run.stored import reading

_WHAT = "give folders that `bakeoff run`, `crash`, `sweep` or `load` wrote (--out), or contract results"


class Kind(StrEnum):
    """Who wrote it."""

    RUN = "run"
    CRASH = "crash"
    LOAD = "load"
    CONTRACT = "contract"
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One stored run: those of `run` and `load` are judged again, kills are as they were judged.

    Attributes:
        number: In the report; part of every ``id`` that stands for it.
        name: Short, and different from those of all others.
        place: As a command takes it; of a run that is not kept what stands for its folder.
        path: The folder; of contract results the file.
        result: As the ``result_of`` of its kind returns it, or the JSON of ``pytest --contract-json``.
        loads: Of a load run, every load in its order.
        numbers: Of every contestant of the report, so that it looks the same in every drawing.
    """

    kind: Kind
    path: Path
    result: Mapping[str, Any]
    loads: Sequence[Row] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    number: int = 0
    name: str = ""
    place: str = ""

    @property
    def about(self) -> Mapping[str, Any]:
        """The manifest."""
        about: Mapping[str, Any] = self.result["manifest"] if self.kind is Kind.CRASH else self.result
        return about

    @property
    def contestants(self) -> dict[str, Mapping[str, Any]]:
        """``{contestant: what the manifest says of it}``."""
        if self.kind is Kind.LINES:
            return {}
        if self.kind in (Kind.RUN, Kind.CONTRACT):
            return {self.label(name): about for name, about in self.result["engines"].items()}
        return dict(self.about["contestants"])

    def label(self, engine: str) -> str:
        """What an engine of a run or of contract results is called everywhere.

        The contract suite runs in class ``ci``, whose short leases change no promise, unless told otherwise.
        """
        usual = ConfigClass.CI if self.kind is Kind.CONTRACT else ConfigClass.RECOMMENDED
        return label_of(engine, self.result["engines"][engine], usual)

    @property
    def command(self) -> str:
        """What made it, as far as it says so."""
        if self.kind is Kind.CONTRACT:
            engines = dict.fromkeys(name.partition("[")[0] for name in self.result["engines"])
            brokers = {name.partition("[")[2].rstrip("]") for name in self.result["engines"]} - {""}
            broker = [f"--broker {one}" for one in brokers] if len(brokers) == 1 else []
            words = ["pytest", *(f"--engine={name}" for name in engines), *broker, "--contract-json FILE"]
            return " ".join(words)
        if self.kind is Kind.LINES:
            return "bakeoff bench lines --json FILE"
        told = self.about.get("command")
        return shown_again(told) if isinstance(told, str) and told else f"bakeoff {self.kind}"


def read_sources(paths: Sequence[Path], unkept: Path | None = None) -> list[Source]:
    """Read and judge everything, in the order given; what lies in a folder of folders counts as given.

    Args:
        paths: Folders and files.
        unkept: A folder that is gone afterwards: nobody is to be sent there.

    Raises:
        UsageError: If something is none of these, is damaged or is empty; the path is named.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        own = [_read(one) for one in _runs_in(path)]
        if not own:
            raise UsageError(f"{path}: nothing to report in it; {_WHAT}")
        found |= {one.path.resolve(): one for one in own}
    labels = sorted({label for one in found.values() for label in one.contestants})
    numbers = {label: number for number, label in enumerate(labels)}
    names = short_names([one.path for one in found.values()])
    called = {path: _called(path, name, unkept) for path, name in names.items()}
    return [
        replace(one, numbers=numbers, number=number, name=called[one.path][0], place=called[one.path][1])
        for number, one in enumerate(found.values())
    ]


def _called(path: Path, name: str, unkept: Path | None) -> tuple[str, str]:
    """``(name, place)``."""
    if unkept is None or not path.is_relative_to(unkept):
        return name, str(path)
    parts = path.relative_to(unkept).parts
    return ", ".join(("this run", *parts)), "/".join(("DIR", *parts))


def of_kind(sources: Sequence[Source], kind: Kind) -> list[Source]:
    """Those of one kind."""
    return [one for one in sources if one.kind is kind]


def _runs_in(path: Path) -> Iterator[Path]:
    """The path itself, then what lies right below it: `bakeoff run` keeps its crash and load part there."""
    if not path.exists():
        raise UsageError(f"{path}: there is no such folder or file; {_WHAT}")
    if path.is_file():
        yield path
        return
    if not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(f"{path}: it cannot be read")
    if (path / MANIFEST).exists():
        yield path
    for below in sorted(path.iterdir()):
        if (below / MANIFEST).is_file() or below.name in ("contract.json", "lines.json"):
            yield below


def _read(path: Path) -> Source:
    with reading(path):
        if path.is_file():
            found = _json(path)
            kind = Kind.LINES if found.get("kind") == Kind.LINES else Kind.CONTRACT
            (_check_lines if kind is Kind.LINES else _check_contract)(found)
            return Source(kind=kind, path=path, result=found)
        if is_crash_folder(path):
            result = crash_result(CrashFolder(path))
            _check_contestants(result["manifest"]["contestants"], _CONTESTANT | {"command": str})
            return Source(kind=Kind.CRASH, path=path, result=result)
        if is_load_folder(path):
            check_extra()
            # Parquet and HDR histograms are an extra, and heavy.
            from bakeoff_bench.load.folder import LoadFolder
            from bakeoff_bench.load.result import result_of as load_result

            folder = LoadFolder(path)
            loaded = load_result(folder)
            _check_contestants(loaded["contestants"], _CONTESTANT | {"slug": str, "note": str})
            return Source(kind=Kind.LOAD, path=path, result=loaded, loads=folder.rows())
        return Source(kind=Kind.RUN, path=path, result=run_result(RunFolder(path)))


_CONTRACT = {"format": int, "engines": dict, "tests": dict}
_TEST = {"promise": str, "needs": list, "results": dict}
_RESULT = {"status": str, "reason": str}
#: What every section may ask of a contestant.
_CONTESTANT: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("title", "config_class"), str),
    **dict.fromkeys(("versions", "settings"), dict),
}


def _check_contestants(contestants: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]]) -> None:
    for name, about in contestants.items():
        stored.check(name, about, kinds)
        ConfigClass(about["config_class"])


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{file} holds no contract results (pytest --contract-json FILE): {error}"
        ) from error
    stored.check("contract results", found, {})
    return dict(found)


#: Of which values a setting is, is its engine's business.
_KNOB = {"name": str, "default": object, "recommended": object, "serves": list}


def _check_lines(found: dict[str, Any]) -> None:
    stored.check("lines", found, {"format": int, "engines": dict})
    for engine, counted in found["engines"].items():
        stored.check(engine, counted, dict.fromkeys(counted, int))
    if "settings" in found:  # of those that were kept before there were any
        stored.check("lines", found, {"settings": dict})
        for engine, settings in found["settings"].items():
            for one in settings:
                stored.check(f"a setting of {engine}", one, _KNOB)


def _check_contract(found: dict[str, Any]) -> None:
    stored.check("contract results", found, _CONTRACT)
    for name, test in found["tests"].items():
        stored.check(name, test, _TEST)
        for label, result in test["results"].items():
            stored.check(f"{name} of {label}", result, _RESULT)
    _check_contestants(found["engines"], _CONTESTANT | {"claims": dict})
