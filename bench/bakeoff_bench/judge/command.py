"""``bakeoff bench judge``: how long the judge takes over a long ledger, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated

import typer

from bakeoff.cli.screen import say
from bakeoff.errors import BakeoffError
from bakeoff.processes import scratch_folder


def judge(
    records: Annotated[
        int, typer.Option("--records", min=100, help="Records of the ledger, at least.")
    ] = 1_000_000,
) -> None:
    """Judge a made-up stored run of order sagas: seconds, records per second and peak memory.

    Most sagas complete; some are compensated, fail at it, get stuck or are lost, and the judge must find
    exactly those. Writing the run takes longer than judging it, and is not counted.

    \b
    Example:
        bakeoff bench judge --records 100000
    """
    from bakeoff_bench.judge.synthetic import ENGINE, write_run

    with scratch_folder("judge") as folder:
        say(f"writing a run of {records:,} records ...")
        made = write_run(folder / "run", records)
        command = [sys.executable, "-m", "bakeoff_bench.judge.measured", str(folder / "run")]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BakeoffError(f"the judge failed: {done.stderr.strip()[-500:]}")
    measured = json.loads(done.stdout)
    found = measured["engines"][ENGINE]["counts"]
    if {fate: sagas for fate, sagas in found.items() if sagas} != made:
        raise BakeoffError(f"the judge found {found}, but the run was made of {made}")
    say(
        f"{sum(made.values()):,} sagas judged in {measured['seconds']:.1f} s: "
        f"{records / measured['seconds']:,.0f} records/s, peak {measured['peak_bytes'] / 2**20:.0f} MiB"
    )
