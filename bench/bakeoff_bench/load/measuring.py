"""A load run from its plan to its result, shown and stored."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from bakeoff.cli.failures import of_the_machine
from bakeoff.cli.screen import progress, say
from bakeoff.errors import BakeoffError
from bakeoff.processes import run_interruptibly
from bakeoff_bench.load.plan import LoadPlan
from bakeoff_bench.run.countdown import Countdown
from bakeoff_bench.run.output import write_json


def measure(
    plan: LoadPlan, path: Path, json_: Path | None, price: float | None, out: Path | None
) -> dict[str, Any]:
    """Run everything, show what came of it, and return that.

    Args:
        plan: What to do.
        path: Where the run is written.
        json_: Where the result is written, too.
        price: Of a million billable actions.
        out: The folder that stays, for what is said of it; ``None``: none does.
    """
    # Locust, Parquet and HDR histograms are an extra, and heavy: only whoever puts load on needs them.
    from bakeoff_bench.load.conduct import conduct
    from bakeoff_bench.load.folder import LoadFolder
    from bakeoff_bench.load.judged import judged
    from bakeoff_bench.load.manifest import manifest_of
    from bakeoff_bench.load.show import show

    folder = LoadFolder.create(path)
    manifest = manifest_of(plan) | {"price_per_million_actions": price}
    folder.write_manifest(manifest)
    names = ", ".join(one.label for one in plan.contestants)
    countdown = Countdown(plan.expected_s())
    minutes = max(1, math.ceil(countdown.expected_s / 60))
    say(f"{plan.load.name} on {names}: about {minutes} min; Ctrl-C keeps what was measured with --out")

    def tell(text: str) -> None:
        progress(f"[{countdown}] {text}")

    broken_off: BaseException | None = None
    try:
        run_interruptibly(conduct(plan, folder, manifest, tell))
    except KeyboardInterrupt as error:
        say("broken off; " + (f"kept in {out}" if out else "nothing kept (--out DIR)"))
        broken_off = error
        if not folder.rows():
            raise
    except Exception as error:
        told = of_the_machine(error)
        if told is None:
            raise
        raise BakeoffError(f"the run cannot go on: {told}") from error
    result = judged(folder)
    write_json(json_, result)  # first: a broken pipe ends what is shown
    show(result)
    if broken_off is not None:
        raise broken_off
    return result
