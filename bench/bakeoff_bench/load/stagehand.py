"""The process behind a Locust that a user runs: it brings the engine up, prepares loads, strikes, and judges.

A line on its standard input asks for the next load, another one says that it is over; the end of it asks for
the verdict. Locust owns no engine, and no clock of ours: what its generators wrote lies in a load's folder.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from pathlib import Path

from bakeoff.cli.failures import of_the_machine
from bakeoff.cli.options import check_ledger, check_ledger_is_empty, check_slots_of, choose_saga
from bakeoff.cli.screen import complain, say
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.processes import run_interruptibly
from bakeoff_bench.load.locust_loads import LocustLoads
from bakeoff_bench.load.locust_verdict import judge
from bakeoff_bench.load.stage import staged
from bakeoff_bench.load.wanted import Wanted
from bakeoff_bench.run.manifest import tier
from bakeoff_scenarios import lacking

#: Lines on standard input.
NEXT, OVER = "next", "over"
#: File with the exit code.
VERDICT = "verdict"


def order_file(folder: Path, number: int) -> Path:
    """Where load ``number`` is written for the generators."""
    return folder / f"order-{number}.json"


def main() -> None:
    """Until standard input ends; then 0 is written to a file if everything counts, 1 if not."""
    wanted = Wanted(**json.loads(sys.argv[1]))
    try:
        code = run_interruptibly(_stand_by(wanted))
    except BakeoffError as error:
        complain(str(error))
        sys.exit(2)
    except Exception as error:
        if (told := of_the_machine(error)) is None:
            raise
        complain(told)
        sys.exit(2)
    (Path(wanted.folder) / VERDICT).write_text(str(code))


async def _stand_by(wanted: Wanted) -> int:
    wanted.check()
    load = wanted.load
    if check_ledger(wanted.ledger) not in ("sqlite", "postgres"):
        check_ledger_is_empty(wanted.ledger)
    saga, references = choose_saga(load.saga)
    fault = wanted.strike(saga)
    wanted.order(1).arrivals(saga)  # something must arrive
    one = wanted.contestant()
    if missing := lacking(saga, one.engine.info(one.settings), ()):
        raise UsageError(f"{one.label} cannot do this: {'; '.join(missing.values())}")
    check_slots_of([one.chosen], wanted.slots)
    folder = Path(wanted.folder)
    async with staged(
        one.chosen,
        load,
        saga,
        references,
        folder / one.slug,
        seed=wanted.seed,
        workers=wanted.workers,
        slots=wanted.slots,
        ledger=wanted.ledger,
        prefix=f"bakeoff-{secrets.token_hex(3)}-",
        faults=fault is not None,
        bridge=wanted.between,
    ) as stage:
        info = stage.stack.info
        say(f"{one.label} is up; durability: {tier(info.survives)}; no CPU is kept from Locust")
        if info.note:
            say(f"{one.label}: {info.note}")
        loads = LocustLoads(stage=stage, wanted=wanted, one=one, fault=fault)
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        (folder / "up").touch()
        while line := (await lines.readline()).decode().strip():
            if line == NEXT:
                order = await loads.prepare()
                order.write(order_file(folder, loads.number))
            elif line == OVER:
                await loads.sum_up()
        await loads.sum_up()  # Locust may have been killed in the middle of it
        return await judge(loads)


if __name__ == "__main__":
    main()
