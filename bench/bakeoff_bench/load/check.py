"""``bakeoff check`` on the folder of a load run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from bakeoff_bench.load.extra import check_extra
from bakeoff_bench.run.output import write_json
from bakeoff_bench.run.stored import reading


def check_load(directory: Path, json_: Path | None) -> None:
    """Judge and show a stored load run again.

    Raises:
        UsageError: If the folder is damaged, or what reads it is not installed.
    """
    check_extra()
    # Parquet and HDR histograms are an extra, and heavy.
    from bakeoff_bench.load.folder import LoadFolder
    from bakeoff_bench.load.result import result_of
    from bakeoff_bench.load.show import show

    with reading(directory):  # what no look at a single file can find
        result = result_of(LoadFolder(directory))
        show(result)
    write_json(json_, result)
    if result["validity"] != "valid" or measured_nothing(result):
        raise typer.Exit(1)


def measured_nothing(result: Mapping[str, Any]) -> bool:
    """Whether some block has not one round that counts, or some contestant sustained no rate at all."""
    if any(block["void"] == block["rounds"] for block in result["blocks"]):
        return True
    found = [about.get("sustained") for about in result["contestants"].values()]
    return any(one is not None and one["rate_per_s"] is None for one in found)


def unmet_slo(result: Mapping[str, Any]) -> str:
    """That nobody sustained any rate within --slo, and how close each came; empty where somebody did.

    A bound that nobody can meet is a mistake in what was asked, and no result about anybody.
    """
    found = {label: about.get("sustained") for label, about in result["contestants"].items()}
    if not found or any(one is None or one["rate_per_s"] or not one["closest"] for one in found.values()):
        return ""
    closest = "; ".join(f"{label}: {one['closest']}" for label, one in found.items() if one)
    return (
        f"--slo {result['plan']['slo_s']:g}: nobody sustained any rate with it; closest: {closest}; "
        "give a --slo above that"
    )
