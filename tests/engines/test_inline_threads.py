"""A step that sleeps on after its timeout does not hold up the end of the process."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from bakeoff_inline.threads import Threads


def test_threads_run_what_they_get_and_pass_errors_on() -> None:
    threads = Threads(2)
    futures = [threads.submit(partial(int, number)) for number in range(20)]
    broken = threads.submit(lambda: 1 // 0)

    assert [future.result(5) for future in futures] == list(range(20))
    assert isinstance(broken.exception(5), ZeroDivisionError)
    threads.close()


@pytest.mark.slow
def test_process_ends_while_a_thread_still_sleeps() -> None:
    script = (
        "import time; from bakeoff_inline.threads import Threads; threads = Threads(1);"
        "threads.submit(lambda: time.sleep(600)); time.sleep(0.2); threads.close()"
    )

    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
