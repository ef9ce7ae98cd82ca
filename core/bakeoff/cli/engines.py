"""``bakeoff engines``: what is installed, what it can, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bakeoff.cli.clients import JsonOption, claim_of
from bakeoff.cli.inventory import Installed, installed_engines, missing_program, servers_by_kind
from bakeoff.cli.screen import say, show_json, show_table
from bakeoff.engine import Capability, EngineInfo, Means, Support
from bakeoff.errors import UnknownNameError
from bakeoff.plugins import Plugins
from bakeoff.settings import Setting, condition

_STYLES = {"native": "green", "pattern": "yellow", "absent": "red"}


def engines(
    engine: Annotated[
        list[str] | None,
        typer.Option("--engine", "-e", metavar="NAME", help="Only this one, with every reason and setting."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show installed engines, what each can do, and what is missing.

    \b
    Examples:
        bakeoff engines
        bakeoff engines --engine celery      (every reason, every setting)
    """
    found = installed_engines(Plugins())
    for name in engine or ():
        if name not in (names := [one.name for one in found]):
            raise UnknownNameError(f"engine {name!r} is not installed; installed: {', '.join(names)}")
    shown = [one for one in found if not engine or one.name in engine]
    if as_json:
        show_json({"engines": [_as_json(one) for one in shown], "servers": _servers(shown)})
        return
    _print_overview(shown)
    _print_matrix([one for one in shown if one.info])
    _print_reasons(shown, every=bool(engine))
    _print_servers(shown)
    if engine:
        for one in shown:
            _print_settings(one)
    else:
        say()
        say("Settings and all reasons of one engine: bakeoff engines --engine NAME")


def _print_overview(engines: Sequence[Installed]) -> None:
    rows = []
    for one in engines:
        if one.info is None:
            rows.append((one.name, "cannot be used", one.problem or "", ""))
            continue
        versions = ", ".join(f"{what} {version}" for what, version in one.info.versions.items())
        survives = ", ".join(sorted(one.info.survives)) or "nothing"
        rows.append((one.name, versions, survives, one.info.note))
    show_table(
        ("engine", "versions", "an acknowledged saga survives", "note"), rows, {"cannot be used": "red"}
    )


def _print_matrix(engines: Sequence[Installed]) -> None:
    say()
    rows = [
        (str(capability), *(str(info.claims[capability].support) for info in _infos(engines)))
        for capability in Capability
    ]
    show_table(("capability", *(one.name for one in engines)), rows, _STYLES)


def _infos(engines: Sequence[Installed]) -> list[EngineInfo]:
    return [one.info for one in engines if one.info is not None]


def _print_reasons(engines: Sequence[Installed], *, every: bool) -> None:
    rows = [
        (one.name, str(capability), str(claim.support), claim.reason)
        for one in engines
        if one.info
        for capability, claim in ((c, one.info.claims[c]) for c in Capability)
        if every or claim.support is not Support.NATIVE
    ]
    rows += [
        (one.name, f"operator: {means}", str(claim.support), claim.reason)
        for one in engines
        if one.info and every
        for means, claim in ((m, claim_of(one.info, m)) for m in Means)
    ]
    if rows:
        say()
        show_table(("engine", "capability", "how", "because"), rows, _STYLES)


def _servers(engines: Sequence[Installed]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "used_by": users, "missing": missing_program(server)}
        for kind, (server, users) in servers_by_kind(engines).items()
    ]


def _print_servers(engines: Sequence[Installed]) -> None:
    say()
    rows = [
        (row["kind"], ", ".join(row["used_by"]), row["missing"] or "installed") for row in _servers(engines)
    ]
    show_table(("server", "used by", "here"), rows, {"installed": "green"})


def _print_settings(one: Installed) -> None:
    if one.info is None:
        return
    say()
    rows = [
        (f"{one.name}.{s.name}", *(_value(v) for v in (s.default, s.recommended, s.ci)), _help(s))
        for s in one.info.settings
    ]
    show_table(("--set", "default", "recommended", "ci", "what it does"), rows)


def _value(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


def _help(setting: Setting) -> str:
    choices = f" ({', '.join(map(str, setting.choices))})" if setting.choices else ""
    variable = f" [{setting.env}]" if setting.env else ""
    when = f"; only when {condition(setting.only)}" if setting.only else ""
    promises = f"; serves {', '.join(setting.serves)}" if setting.serves else ""
    tuning = "; tuning" if setting.tuning else ""
    return f"{setting.help}{choices}{variable}{when}{promises}{tuning}"


def _as_json(one: Installed) -> dict[str, Any]:
    if one.info is None:
        return {"name": one.name, "usable": False, "problem": one.problem}
    return {
        "name": one.name,
        "usable": True,
        "title": one.info.title,
        "note": one.info.note,
        "versions": dict(one.info.versions),
        "in_process": one.info.in_process,
        "survives": sorted(one.info.survives),
        "capabilities": {
            str(capability): {"support": str(claim.support), "reason": claim.reason}
            for capability, claim in one.info.claims.items()
        },
        "means": {
            str(means): {"support": str(claim.support), "reason": claim.reason}
            for means, claim in ((m, claim_of(one.info, m)) for m in Means)
        },
        "settings": [
            {
                "name": s.name,
                "help": s.help,
                "default": s.default,
                "recommended": s.recommended,
                "ci": s.ci,
                "only": dict(s.only),
                "tries": list(s.tries),
                "serves": list(s.serves),
                "tuning": s.tuning,
            }
            for s in one.info.settings
        ],
    }
