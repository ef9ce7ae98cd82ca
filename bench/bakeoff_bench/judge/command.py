"""``bakeoff bench judge``: how long the judge takes over a long ledger, and how much memory."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bakeoff.cli.screen import progress, say
from bakeoff.errors import BakeoffError
from bakeoff.processes import scratch_folder
from bakeoff_bench.run.countdown import Countdown, span
from bakeoff_bench.run.waiting import run_and_tell

#: Rough records per second that are written, and judged, on two cores that had other work to do.
_WRITTEN_PER_S, _JUDGED_PER_S = 43_000, 41_000


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
        countdown = Countdown(records / _WRITTEN_PER_S + records / _JUDGED_PER_S)
        progress(f"a run of {records:,} records is written and judged: about {span(countdown.expected_s)}")
        made = write_run(folder / "run", records)

        def tell() -> None:
            progress(f"judging, {countdown} ...")

        tell()
        command = [sys.executable, "-m", "bakeoff_bench.judge.measured", str(folder / "run")]
        done = run_and_tell(command, tell)
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
