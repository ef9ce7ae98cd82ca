"""The result of a crash run, from its folder alone: made right after the kills, or any time later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.cli.screen import say
from bakeoff_bench.crash.cells import cell_of, group, is_harmful
from bakeoff_bench.crash.folder import CrashFolder, standing
from bakeoff_bench.crash.table import show_matrix
from bakeoff_bench.run.said import hidden


def result_of(folder: CrashFolder) -> dict[str, Any]:
    """``{manifest, cells, sums, kills}``: by contestant, fault and point; by contestant and fault; all."""
    manifest = _shown(folder.manifest())
    rows = standing(folder.rows(), manifest["series"])
    points = group(rows, lambda row: (row["contestant"], row["fault"], row["point"]))
    sums = group(rows, lambda row: (row["contestant"], row["fault"]))
    return {
        "manifest": manifest,
        "cells": [
            {"contestant": key[0], "fault": key[1], "point": key[2], **cell_of(found).to_json()}
            for key, found in points.items()
        ],
        "sums": [
            {"contestant": key[0], "fault": key[1], **cell_of(found).to_json()} for key, found in sums.items()
        ],
        "kills": rows,
    }


def _shown(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a resumed run needs is in the folder; what may be secret in it goes no further."""
    asked = manifest.get("asked", {})
    options = asked.get("options", {})
    told = {name: hidden(options[name]) for name in ("sets", "raws") if name in options}
    return {**manifest, "asked": {**asked, "options": {**options, **told}}} if told else manifest


def show(result: Mapping[str, Any]) -> None:
    """Print it for a person."""
    if not result["kills"]:
        say("there are no kills in it")
        return
    show_matrix(result["kills"], result["manifest"])


def failed(result: Mapping[str, Any]) -> bool:
    """Whether a saga did not end all-or-nothing, or a kill proves nothing."""
    return not result["kills"] or any(is_harmful(row) for row in result["kills"])
