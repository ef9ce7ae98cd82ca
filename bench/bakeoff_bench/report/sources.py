"""What a report rests on: folders of ``run``, ``crash``, ``sweep`` and ``load``, results as JSON."""

from __future__ import annotations

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
from bakeoff_bench.report.results import KILLED, LOADED, check_contestants, is_overhead, results_in
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.journal import MANIFEST, Row
from bakeoff_bench.run.result import result_of as run_result
from bakeoff_bench.run.said import shown_again
from bakeoff_bench.run.stored import reading

#: In commands, where a run has left no folder.
NO_FOLDER = "DIR"
_WHAT = "give what `bakeoff run`, `crash`, `sweep` or `load` wrote (--out, --json), or contract results"


class Kind(StrEnum):
    """Who wrote it."""

    RUN = "run"
    CRASH = "crash"
    LOAD = "load"
    CONTRACT = "contract"
    LINES = "lines"
    OVERHEAD = "overhead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One stored run: folders of `run` and `load` are judged again, all else is as it was judged.

    Attributes:
        number: In the report; part of every ``id`` that stands for it.
        name: Short, and different from those of all others.
        place: As a command takes it; of a run without its folder what stands for that.
        path: The folder; of a result as JSON the file, of a part of one the file and its name.
        result: As the ``result_of`` of its kind returns it, or the JSON of ``pytest --contract-json``.
        loads: Of a load run, every load in its order; none where an earlier bakeoff wrote the result.
        stored: A run that left its result alone (``--json``): what lies in its folder is not there.
        numbers: Of every contestant of the report, so that it looks the same in every drawing.
    """

    kind: Kind
    path: Path
    result: Mapping[str, Any]
    loads: Sequence[Row] = ()
    stored: bool = False
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
        if self.kind in (Kind.LINES, Kind.OVERHEAD):
            return {}  # what they tell is about the harness
        if self.kind in (Kind.RUN, Kind.CONTRACT):
            return {self.label(name): about for name, about in self.result["engines"].items()}
        return dict(self.about["contestants"])

    @property
    def abouts(self) -> dict[str, Mapping[str, Any]]:
        """``contestants``, and those of `bench overhead` as far as it tells of them: not their settings."""
        if self.kind is not Kind.OVERHEAD:
            return self.contestants
        config = self.result["config_class"]
        return {
            one["label"]: {
                "config_class": config,
                "versions": one["versions"],
                "note": one.get("note", ""),  # of an earlier bakeoff: nothing
            }
            for one in self.result["contestants"]
        }

    def label(self, engine: str) -> str:
        """What an engine of a run or of contract results is called everywhere.

        The contract suite runs in class ``ci``, whose short leases change no promise, unless told otherwise.
        """
        usual = ConfigClass.CI if self.kind is Kind.CONTRACT else ConfigClass.RECOMMENDED
        return label_of(engine, self.result["engines"][engine], usual)

    @property
    def command(self) -> str:
        """What made it; of contract results and counted lines of an earlier bakeoff as far as they tell."""
        told = self.about.get("command")
        if isinstance(told, str) and told:
            return shown_again(told)
        if self.kind is Kind.CONTRACT:
            engines = dict.fromkeys(name.partition("[")[0] for name in self.result["engines"])
            brokers = {about["settings"].get("broker") for about in self.result["engines"].values()} - {None}
            broker = [f"--broker {one}" for one in brokers] if len(brokers) == 1 else []
            words = ["pytest", *(f"--engine={name}" for name in engines), *broker, "--contract-json FILE"]
            return " ".join(words)
        if self.kind is Kind.LINES:
            chosen = "".join(f" --engine {name}" for name in self.result["engines"])
            return f"bakeoff bench lines{chosen} --json FILE"
        return f"bakeoff {self.kind}"


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
        own = [source for one in _runs_in(path) for source in _read(one)]
        if not own:
            raise UsageError(f"{path}: nothing to report in it; {_WHAT}")
        found |= {one.path.resolve(): one for one in own}
    labels = sorted({label for one in found.values() for label in one.contestants})
    numbers = {label: number for number, label in enumerate(labels)}
    names = short_names([one.path for one in found.values()])
    called = {path: _called(one, names[one.path], unkept) for path, one in found.items()}
    return [
        replace(one, numbers=numbers, number=number, name=called[path][0], place=called[path][1])
        for number, (path, one) in enumerate(found.items())
    ]


def _called(source: Source, name: str, unkept: Path | None) -> tuple[str, str]:
    """``(name, place)``."""
    if unkept is None or not source.path.is_relative_to(unkept):
        return name, NO_FOLDER if source.stored else str(source.path)
    parts = source.path.relative_to(unkept).parts
    return ", ".join(("this run", *parts)), "/".join((NO_FOLDER, *parts))


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
        known = below.name in ("contract.json", "lines.json") or is_overhead(below)
        if known or (below / MANIFEST).is_file():
            yield below


def _read(path: Path) -> Iterator[Source]:
    with reading(path):
        if path.is_file():
            yield from _stored(path)
        elif is_crash_folder(path):
            result = crash_result(CrashFolder(path))
            check_contestants(result["manifest"]["contestants"], KILLED)
            yield Source(kind=Kind.CRASH, path=path, result=result)
        elif is_load_folder(path):
            check_extra()
            # Parquet and HDR histograms are an extra, and heavy.
            from bakeoff_bench.load.folder import LoadFolder
            from bakeoff_bench.load.judged import judged

            folder = LoadFolder(path)
            loaded = judged(folder)
            check_contestants(loaded["contestants"], LOADED)
            yield Source(kind=Kind.LOAD, path=path, result=loaded, loads=folder.rows())
        else:
            yield Source(kind=Kind.RUN, path=path, result=run_result(RunFolder(path)))


def _stored(file: Path) -> Iterator[Source]:
    """Everything that one file holds."""
    for number, (name, result) in enumerate(results_in(file)):
        kind = Kind(name)
        yield Source(
            kind=kind,
            path=file / name if number else file,
            result=result,
            loads=result.get("loads", ()) if kind is Kind.LOAD else (),
            stored=kind in (Kind.RUN, Kind.CRASH, Kind.LOAD),
        )
