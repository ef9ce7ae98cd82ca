"""``bakeoff decide``: from requirements and stored runs to a recommendation."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.screen import say, show_json
from bakeoff.errors import UsageError
from bakeoff_bench.run.output import check_file, write_file

_DEFAULT = Path("requirements.toml")


def decide(
    requirements: Annotated[
        Path, typer.Argument(metavar="REQUIREMENTS", help="A TOML file; `--init` writes one.")
    ] = _DEFAULT,
    directories: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN...", help="What `bakeoff run`, `crash` and `load` kept, contract results."
        ),
    ] = None,
    init: Annotated[
        bool,
        typer.Option(
            "--init",
            help="Ask a few questions and write REQUIREMENTS, commented; Enter asks for what RUN... answers.",
        ),
    ] = False,
    facts: Annotated[
        Path | None,
        typer.Option(
            "--facts", metavar="FILE", help="Keep what the runs say in a file that can stand for them."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The decision as JSON, on standard output.")
    ] = False,
) -> None:
    """Say which contestant meets your requirements, by evidence, and what would change the answer.

    A hard constraint is met, not met or unknown; an unknown is work to do, and counts as neither. Wishes
    give their weight to whoever is as good as the best. docs/decide.md has the whole method.

    Exit code 0: there is a recommendation. 1: there is none. 2: nothing was decided.

    \b
    Examples:
        bakeoff decide --init requirements.toml runs/first
        bakeoff decide requirements.toml runs/first
        bakeoff decide requirements.toml runs/crash runs/load runs/contract.json
    """
    if init:
        _write(requirements, directories or [])
        return
    from bakeoff_bench.decide.decision import decide as decide_
    from bakeoff_bench.decide.evidence import read_evidence
    from bakeoff_bench.decide.reading import read_requirements
    from bakeoff_bench.decide.sensitivity import sensitivity
    from bakeoff_bench.decide.show import show, to_json
    from bakeoff_bench.decide.stored import write_facts

    asked = read_requirements(requirements)
    if facts is not None:
        check_file("--facts", facts, reads=[requirements])
    if not directories:
        raise UsageError(
            "no evidence: give what `bakeoff run`, `crash` and `load` kept (--out), contract results"
        )
    everyone, origins = read_evidence(directories)
    if facts is not None:
        write_facts(facts, everyone, origins)
    unknown = set(asked.only) - {one.label for one in everyone}
    if unknown:
        known = ", ".join(one.label for one in everyone)
        raise UsageError(f"{requirements}: only: {', '.join(sorted(unknown))}: these runs know {known}")
    decision = decide_(asked, everyone)
    changes = list(sensitivity(asked, everyone, decision))
    if as_json:
        show_json(to_json(asked, decision, changes, origins))
    else:
        show(asked, decision, changes, origins)
    if not decision.recommended:
        raise typer.Exit(1)


def _write(file: Path, directories: Sequence[Path]) -> None:
    if file.exists():
        raise UsageError(f"{file}: it exists already; name a new file: bakeoff decide NEW.toml --init")
    check_file("the new file", file)
    if find_spec("tomlkit") is None:
        raise UsageError("--init needs tomlkit: pip install 'bakeoff[bench]'")
    from bakeoff_bench.decide.asking import ask
    from bakeoff_bench.decide.at_hand import at_hand
    from bakeoff_bench.decide.reading import read_requirements

    known = at_hand(directories)
    write_file(file, ask(known))
    say(f"written: {file}")
    for line in known.advice(file, read_requirements(file)):
        say(line)
