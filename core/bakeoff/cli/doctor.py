"""``bakeoff doctor``: tries for real whether everything can start here."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bakeoff.cli.checkup import Finding, Verdict, machine_findings, server_findings
from bakeoff.cli.clients import JsonOption
from bakeoff.cli.inventory import installed_engines
from bakeoff.cli.screen import say, show_json
from bakeoff.errors import UnknownNameError
from bakeoff.plugins import Plugins
from bakeoff.processes import run_interruptibly, scratch_folder

_STYLES = {Verdict.OK: "green", Verdict.MISSING: "yellow", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}


def doctor(
    engine: Annotated[
        list[str] | None,
        typer.Option("--engine", "-e", metavar="NAME", help="Only what this engine needs; it must be there."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try whether everything can start here.

    Says what to do if not.

    Starts every server that is installed, asks it one question and stops it. What is optional and not
    installed is named with the command that installs it. Exit code 0 if all that is installed works.

    \b
    Example:
        bakeoff doctor --engine temporal
    """
    plugins = Plugins()
    found = installed_engines(plugins)
    for name in engine or ():
        if name not in (names := [one.name for one in found]):
            raise UnknownNameError(f"engine {name!r} is not installed; installed: {', '.join(names)}")
    chosen = [one for one in found if not engine or one.name in engine]
    findings: list[Finding] = []

    def note(finding: Finding) -> None:
        findings.append(finding)
        if not as_json:
            _print(finding)

    for finding in machine_findings():
        note(finding)
    if all(finding.verdict is not Verdict.FAILED for finding in findings):
        with scratch_folder("doctor") as scratch:
            run_interruptibly(server_findings(chosen, scratch, note, named=bool(engine)))
    if as_json:
        show_json([_as_json(finding) for finding in findings])
    failed = sum(finding.verdict is Verdict.FAILED for finding in findings)
    if not as_json:
        say()
        say(
            "Everything that is installed works."
            if not failed
            else f"{failed} of {len(findings)} checks failed."
        )
    if failed:
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    took = f" ({finding.seconds:.1f} s)" if finding.seconds is not None else ""
    say(f"{finding.verdict:8} {finding.subject}: {finding.detail}{took}", style=_STYLES[finding.verdict])
    if finding.advice:
        say(f"         -> {finding.advice}")


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "verdict": str(finding.verdict),
        "detail": finding.detail,
        "advice": finding.advice,
        "seconds": finding.seconds,
    }
