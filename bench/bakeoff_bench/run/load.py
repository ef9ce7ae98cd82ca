"""CPU seconds of a deployment: servers, workers and everything that they started."""

from __future__ import annotations

import os
from collections.abc import Sequence

import psutil

from bakeoff.stack import Stack


def cpu_seconds(stacks: Sequence[Stack]) -> float:
    """User and system seconds, up to now, of all living processes of these stacks (not the harness)."""
    leaders = {
        child.pid
        for stack in stacks
        for child in (
            *(server.child for server in stack.servers),
            *(stack.workers.children if stack.workers else ()),
        )
        if child is not None
    }
    total = 0.0
    for process in psutil.process_iter():
        try:
            if leaders and os.getsid(process.pid) in leaders:
                times = process.cpu_times()
                total += times.user + times.system
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
    return total
