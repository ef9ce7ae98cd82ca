"""``bakeoff`` lines of the documentation, read by the command line itself; nothing is started."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
import typer

from bakeoff.cli.app import build_app
from bakeoff.cli.options import choose_saga
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import Options, find_contestants
from bakeoff_bench.crash.points import choose_points
from bakeoff_bench.ordeals.catalogue import find_ordeals
from bakeoff_bench.sweep.grid import grid, parse_vary
from bakeoff_scenarios import find_load, find_scenario
from bakeoff_scenarios.sweeps import find_sweep

#: What the plug-ins bring that two of the pages are about; only the tests of those pages install them.
_OF_A_PAGE = {"threads", "broker-full"}
_ABOUT_ENGINES = ("engine", "config", "broker", "set_", "set_raw", "vary")
_WINDOW = re.compile(r"windows$|\.command_\w+$")


@cache
def _root() -> Any:
    """The command line with the core's commands and those of every plug-in, as click has it."""
    app = build_app()
    assert Plugins().register_commands(app) == []
    return typer.main.get_command(app)


def every_command() -> dict[str, Any]:
    """``{"bench speed": command}``."""
    return dict(_leaves("", _root()))


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, one in command.commands.items():
        yield from _leaves(f"{path} {name}".strip(), one)


def read_bakeoff(arguments: Sequence[str]) -> None:
    """Read the words after ``bakeoff``, and look up every name among them.

    Raises:
        UsageError, typer's errors: For the first that is not known.
    """
    given: list[tuple[str, Mapping[str, Any]]] = []
    with pytest.MonkeyPatch.context() as patch:
        for verb, command in _leaves("", _root()):
            patch.setattr(command, "callback", lambda _verb=verb, **values: given.append((_verb, values)))
        _root().main(args=list(arguments), prog_name="bakeoff", standalone_mode=False)
    for verb, values in given:
        _look_up(verb, values)


def _look_up(verb: str, values: Mapping[str, Any]) -> None:
    if any(values.get(name) for name in _ABOUT_ENGINES):
        _look_up_engines(values)
    # `report --saga` wants a workflow id; a saga of one's own is imported by the test that runs the line.
    named = [] if verb == "report" else [one for one in _several(values.get("saga")) if ":" not in one]
    sagas = [choose_saga(name)[0] for name in named or ["order"]]
    if name := values.get("scenario"):
        (find_scenario if verb == "run" else find_load)(name)
    for fault in _several(values.get("fault")):
        name, _, point = fault.partition(":")
        assert name in {*_faults(), *_OF_A_PAGE}, name
        if point:
            choose_points(sagas[0], [point])
    # Those inside services and engines depend on who takes part.
    choose_points(sagas[0], [one for one in _several(values.get("point")) if not _WINDOW.search(one)])
    if verb == "ordeal":
        find_ordeals(_several(values.get("names")))
    if verb == "sweep" and values.get("name"):
        find_sweep(values["name"])


def _look_up_engines(values: Mapping[str, Any]) -> None:
    engines = tuple(one for one in _several(values.get("engine")) if one not in {"all", *_OF_A_PAGE})
    for config in _several(values.get("config")) or [ConfigClass.RECOMMENDED]:
        # What was found by `bakeoff tune` stands in a file of the user's.
        known = ConfigClass.RECOMMENDED if ConfigClass(config) is ConfigClass.TUNED else ConfigClass(config)
        texts = [tuple(_several(values.get(name))) for name in ("broker", "set_", "set_raw", "vary")]
        if engines and not any(texts):
            assert set(engines) <= _engines(), engines
        else:
            _look_up_settings(engines, known, *texts)


@cache
def _look_up_settings(
    engines: tuple[str, ...],
    config: ConfigClass,
    brokers: tuple[str, ...],
    sets: tuple[str, ...],
    raws: tuple[str, ...],
    vary: tuple[str, ...],
) -> None:
    options = Options(engines=engines, brokers=brokers, sets=sets, raws=raws)
    varied = grid(parse_vary(vary, engines)) if vary else ({},)
    find_contestants(options, config, varied, ours_only=False)


@cache
def _engines() -> frozenset[str]:
    return frozenset(Plugins().engine_names())


@cache
def _faults() -> Sequence[str]:
    return list(Plugins().faults())


def _several(value: Any) -> list[Any]:
    """An option that may be repeated, or not."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
