"""``bakeoff bench lines``: what each capability takes in an adapter, in lines and in settings."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from bakeoff.cli.options import ChosenEngine, EngineOption, SetOption, choose_engines
from bakeoff.cli.screen import progress, say, show_table
from bakeoff.contract.duration import suite_seconds
from bakeoff.errors import BakeoffError
from bakeoff.machine import machine
from bakeoff.processes import scratch_folder
from bakeoff.settings import ConfigClass
from bakeoff_bench.lines.attribution import DECLARED, NOT_RUN, SHARED, count_lines
from bakeoff_bench.lines.knobs import TUNING, by_need, declared
from bakeoff_bench.lines.tracer import FOLDER, PACKAGE, TESTS, make_clock
from bakeoff_bench.run.countdown import Countdown, span
from bakeoff_bench.run.output import check_file, write_json
from bakeoff_bench.run.said import command_line
from bakeoff_bench.run.waiting import run_and_tell

_STARTUP = "from bakeoff_bench.lines import tracer\n\ntracer.begin()\n"
#: pytest's exit codes for a suite that was run to its end: all green, or not.
_RAN = (0, 1)


def lines(
    engine: EngineOption = None,
    set_: SetOption = None,
    json_: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="The numbers as JSON.")] = None,
) -> None:
    """Count the logical lines of an adapter by the capability that needs them, and name its settings.

    Runs the contract suite on each engine with a tracer in every process. A line belongs to a capability if
    every test that runs it asks for that one; declarations run when a module is imported, and belong to none.
    A setting belongs to every capability and guarantee that its engine declares it for.

    \b
    Example:
        bakeoff bench lines --engine celery --engine temporal
    """
    if json_ is not None:
        check_file("--json", json_)
    chosen = choose_engines(engine, config=ConfigClass.CI, sets=set_ or ())
    # The suite mostly waits for leases, so a tracer hardly makes it longer.
    expected_s = [suite_seconds(one.engine.info(one.settings)) for one in chosen]
    names = ", ".join(one.name for one in chosen)
    progress(f"the contract suite under a tracer on {names}: about {span(sum(expected_s))}")
    found: dict[str, dict[str, int]] = {}
    for number, one in enumerate(chosen):
        tell = _teller(one.name, Countdown(sum(expected_s[number:])))
        found[one.name] = _lines_of(one, set_ or [], tell)
    knobs = {one.name: declared(one.engine.info().settings) for one in chosen}
    _show_lines(found)
    _show_settings(knobs)
    write_json(json_, result_of(found, knobs))


def result_of(
    found: Mapping[str, Mapping[str, int]], knobs: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """``{engine: {capability: lines}}`` and ``{engine: settings}``, with command, day and machine."""
    return {
        "kind": "lines",
        "format": 1,
        "bakeoff": version("bakeoff"),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "machine": machine(),
        "engines": found,
        "settings": knobs,
    }


def _show_lines(found: Mapping[str, Mapping[str, int]]) -> None:
    words = [SHARED, DECLARED, NOT_RUN]
    needs = sorted({need for counted in found.values() for need in counted} - set(words))
    rows = [[what, *(str(counted.get(what, 0)) for counted in found.values())] for what in [*needs, *words]]
    rows.append(["in all", *(str(sum(counted.values())) for counted in found.values())])
    show_table(["logical lines", *found], rows)


def _show_settings(knobs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    needed = {engine: by_need(settings) for engine, settings in knobs.items()}
    needs = sorted({need for own in needed.values() for need in own} - {TUNING})
    say()
    show_table(
        ["settings for", "engine", "as shipped -> recommended; one value: recommended as shipped"],
        [
            [need, engine, ", ".join(own[need])]
            for need in [*needs, TUNING]
            for engine, own in needed.items()
            if need in own
        ],
    )


def _teller(name: str, countdown: Countdown) -> Callable[[int], None]:
    return lambda tests: progress(f"{name}, {countdown}: {tests} tests so far")


def _lines_of(one: ChosenEngine, sets: list[str], tell: Callable[[int], None]) -> dict[str, int]:
    module = sys.modules[type(one.engine).__module__]
    assert module.__file__ is not None
    package = Path(module.__file__).parent
    with scratch_folder("lines") as folder:
        make_clock(folder)
        startup = folder / "startup"
        startup.mkdir()
        # Python imports this by itself, in every process that inherits the environment.
        (startup / "sitecustomize.py").write_text(
            "from bakeoff_bench.lines import tracer\n\ntracer.begin()\n"
        )
        path = os.pathsep.join([str(startup), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "bakeoff_bench.lines.plugin", f"--engine={one.name}", "-o", "timeout=600"]
        command += [part for text in sets if text.startswith(f"{one.name}.") for part in ("--set", text)]
        environ = {**os.environ, "PYTHONPATH": path, FOLDER: str(folder), PACKAGE: str(package)}
        begun = folder / TESTS
        begun.touch()
        tell(0)
        done = run_and_tell(
            command, lambda: tell(len(begun.read_text().splitlines())), cwd=folder, env=environ
        )
        if done.returncode not in _RAN:
            raise BakeoffError(
                f"the contract suite did not run: {(done.stderr or done.stdout).strip()[-500:]}"
            )
        tests = [json.loads(line) for line in begun.read_text().splitlines()]
        requires = {test["number"]: frozenset(test["requires"]) for test in tests}
        ran = _ran(folder)
        # A package may hold another engine as well, of which nothing runs here.
        return dict(
            count_lines([file for file in sorted(package.rglob("*.py")) if str(file) in ran], ran, requires)
        )


def _ran(folder: Path) -> Mapping[str, Mapping[int, frozenset[int]]]:
    """``{file: {line: numbers of tests}}`` from what all processes wrote down; the last line may be torn."""
    ran: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for notes in folder.glob("*.lines"):
        for note in notes.read_text().splitlines():
            parts: list[Any] = note.split("\t")
            if len(parts) == 3:
                ran[parts[2]][int(parts[1])].add(int(parts[0]))
    return {
        file: {line: frozenset(numbers) for line, numbers in by_line.items()} for file, by_line in ran.items()
    }
