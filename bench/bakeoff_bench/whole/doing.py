"""The parts of a run, one after the other; each is told and stored when it is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bakeoff.cli.screen import say, warn
from bakeoff.processes import run_interruptibly
from bakeoff_bench.crash.command import kill_all
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.crash.result import show as show_kills
from bakeoff_bench.load.check import measured_nothing
from bakeoff_bench.load.measuring import measure
from bakeoff_bench.run.conduct import all_stacks_were_up, conduct
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.journal import MANIFEST
from bakeoff_bench.run.output import write_json
from bakeoff_bench.run.plan import Contestant, RunPlan
from bakeoff_bench.run.result import result_of
from bakeoff_bench.run.tables import show_result
from bakeoff_bench.whole.agenda import Agenda
from bakeoff_bench.whole.kills import broken_promises


def has_judged(folder: RunFolder) -> bool:
    """Whether a part has come to results."""
    kept = (
        folder.path / MANIFEST,
        folder.path / "crash" / "kills.jsonl",
        folder.path / "load" / "loads.jsonl",
    )
    return all_stacks_were_up(folder) if kept[0].exists() else any(one.exists() for one in kept[1:])


def where_kept(folder: RunFolder) -> str:
    """Where what can be judged again lies."""
    places = (folder.path, folder.path / "crash", folder.path / "load")
    lines = [f"bakeoff check {place}" for place in places if (place / MANIFEST).exists()]
    return f"kept in {folder.path}; judge it again with: {', '.join(lines)}"


def do(agenda: Agenda, folder: RunFolder, began_s: float, json_: Path | None, out: Path | None) -> bool:
    """Every part that there is; return whether something is not as it should be."""
    result: dict[str, Any] = {}
    failed = False
    if agenda.sagas is not None:
        result = _sagas(agenda.plan, agenda.sagas, folder, began_s, out)
        failed = result["validity"] != "valid"
        write_json(json_, result)  # first: a broken pipe ends what is shown
        show_result(result)
        first = result["first_settled_s"]
        if first is not None:
            say(f"first saga settled {first:.1f} s after the start")
    if agenda.asked is not None:
        say()
        killed = kill_all(agenda.asked, CrashFolder.create(folder.path / "crash"), keeps=out is not None)
        result["crash"] = killed
        write_json(json_, result)
        show_kills(killed)
        if broken := broken_promises(killed):
            say(f"came to harm though they declare to survive it: {', '.join(broken)}", "bold red")
            failed = True
    if agenda.load is not None:
        say()
        kept = None if out is None else folder.path / "load"
        result["load"] = measure(agenda.load, folder.path / "load", None, None, kept)
        failed = failed or result["load"]["validity"] == "invalid"
        if measured_nothing(result["load"]):
            warn(
                "a load came to nothing, on a machine that was busy or too slow: it fails nothing, and "
                "says nothing"
            )
        write_json(json_, result)
    return failed


def _sagas(
    plan: RunPlan, all_of_them: list[Contestant], folder: RunFolder, began_s: float, out: Path | None
) -> dict[str, Any]:
    """Run them and judge."""
    try:
        run_interruptibly(conduct(plan, all_of_them, folder, began_s))
    except KeyboardInterrupt:
        say("broken off; " + (f"judge what was done: bakeoff check {out}" if out else "nothing kept"))
        raise
    return result_of(folder)
