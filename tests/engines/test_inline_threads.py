"""Steps run in threads: results and errors come back, and a sleeper holds up nobody's end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from functools import partial

import pytest

from bakeoff_inline.slots import Slots


def test_slots_run_what_they_get_and_pass_errors_on() -> None:
    async def scenario() -> None:
        slots = Slots(2)
        numbers = [slots.run(partial(int, number), 5) for number in range(20)]

        assert await asyncio.gather(*numbers) == list(range(20))
        with pytest.raises(ZeroDivisionError):
            await slots.run(lambda: 1 // 0, 5)
        slots.close()

    asyncio.run(scenario())


def test_function_that_timed_out_keeps_its_slot_until_it_ends() -> None:
    async def scenario() -> None:
        slots, go_on = Slots(1), threading.Event()
        with pytest.raises(TimeoutError):
            await slots.run(go_on.wait, 0.05)

        second = asyncio.create_task(slots.run(lambda: None, 60))
        await asyncio.sleep(0.2)
        assert not second.done()
        go_on.set()
        await second
        slots.close()

    asyncio.run(scenario())


@pytest.mark.slow
def test_process_ends_while_a_thread_still_sleeps() -> None:
    script = (
        "import asyncio, time\n"
        "from bakeoff_inline.slots import Slots\n"
        "async def main():\n"
        "    slots = Slots(1)\n"
        "    try: await slots.run(lambda: time.sleep(600), 0.2)\n"
        "    except TimeoutError: pass\n"
        "    slots.close()\n"
        "asyncio.run(main())"
    )

    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
