"""The file of tuned values: read by everybody with ``--config tuned``, kept by whoever searched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.errors import UsageError
from bakeoff.machine import machine
from bakeoff.settings import Value, parse_value
from bakeoff.tuned import FORMAT, VARIABLE, as_text, read_tuned_file
from bakeoff_bench.run.output import check_file, write_file
from bakeoff_bench.tune.knobs import Changes, Given
from bakeoff_bench.tune.search import Searched
from bakeoff_bench.tune.trials import Trials

_ABOUT = (
    "Found by `bakeoff tune`; `--config tuned` reads it here, or where "
    f"{VARIABLE} says it is.\n"
    "Class `recommended`, with these values instead. Another machine has other best values."
)


def check_writable(file: Path) -> None:
    """Find out before anything is measured that the file cannot be written, or is no file of ours.

    Raises:
        UsageError: So it is.
    """
    if file.exists():
        read_tuned_file(file, str(file))
    _document(file, "engine", {}, {})
    check_file("-o", file)


def earlier(file: Path, given: Given) -> Changes:
    """What an earlier search found for an engine, without what the user fixes now."""
    if not file.exists():
        return {}
    found = read_tuned_file(file, str(file))
    values = found.values.get(given.engine, {})
    return {name: as_text(value) for name, value in values.items() if name not in given.fixed}


def values_of(given: Given, changes: Changes) -> dict[str, Value]:
    """What class ``tuned`` differs in from ``recommended``: what was found, and what it was found with.

    Addresses and secrets that the user fixed are the machine's, and no part of a configuration.
    """
    declared = {one.name: one for one in given.contestant({}).engine.info().settings}
    own = {name for name, one in declared.items() if not (one.env or one.secret)}
    texts = {name: text for name, text in given.fixed.items() if name in own} | dict(changes)
    return {name: parse_value(text, declared[name], name) for name, text in texts.items()}


def evidence_of(trials: Trials, searched: Searched) -> dict[str, Any]:
    """What was measured, on what."""
    plan, engine, told = trials.plan, trials.given.contestant({}), searched.confirmation
    about = machine()
    return {
        "searched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "against": "recommended",
        **({name: told[name] for name in ("ratio", "low", "high", "rounds")} if told else {}),
        "candidates": sum(one.played for stage in searched.stages for one in stage.tried[1:]),
        "load": f"{plan.load.name}, {plan.blocks[0].name}, {plan.seconds:g} s",
        "workers": plan.workers,
        "slots": plan.slots,
        **({"bridge": str(plan.bridge)} if plan.bridge.name != IN_PROCESS else {}),
        "cpus": 0 if plan.cpus is None else len(plan.cpus.deployment),
        "fixed": sorted(trials.given.fixed),
        "machine": f"{about['system']}, {about['cpus']} CPUs, Python {about['python']}",
        "versions": [f"bakeoff {version('bakeoff')}"]
        + [f"{name} {text}" for name, text in engine.engine.info(engine.settings).versions.items()],
    }


def store(file: Path, engine: str, values: Mapping[str, Value], evidence: Mapping[str, Any]) -> None:
    """Replace what the file says about an engine, and keep what it says about others.

    Args:
        file: Made if it is not there.
        engine: Its name.
        values: ``{setting: value}`` that differ from class ``recommended``.
        evidence: What was measured, on what.

    Raises:
        UsageError: If the file cannot be written any more.
    """
    document = _document(file, engine, values, evidence)
    try:
        write_file(file, tomlkit.dumps(document))
    except OSError as error:
        raise UsageError(f"-o {file}: cannot be written any more ({error.strerror})") from error


def _document(
    file: Path, engine: str, values: Mapping[str, Value], evidence: Mapping[str, Any]
) -> tomlkit.TOMLDocument:
    """The file as it is to be.

    Raises:
        UsageError: If it cannot be edited.
    """
    if file.exists():
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
    else:
        document = tomlkit.document()
        for line in _ABOUT.splitlines():
            document.add(tomlkit.comment(line))
        document.add("format", tomlkit.item(FORMAT))
    try:
        for part, content in (("settings", values), ("evidence", evidence)):
            if part not in document:
                document.add(part, tomlkit.table(is_super_table=True))
            document[part][engine] = _table(content)
    except (TOMLKitError, TypeError, ValueError) as error:
        raise UsageError(f"-o {file}: [settings] or [evidence] is no table of its own: {error}") from error
    return document


def _table(content: Mapping[str, Any]) -> Any:
    table = tomlkit.table()
    for name, value in content.items():
        if value is not None:
            table.add(name, value)
    if not table:
        table.add(tomlkit.nl())  # else the next head stands right below its own
    return table
