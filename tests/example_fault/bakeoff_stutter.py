"""A server on an overloaded machine: it runs for a moment, stands for a moment, and so on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff import hookimpl
from bakeoff.nemesis import Fault, FaultMissedError, Landing, Need, Target
from bakeoff.processes import pause_session, resume_session


@dataclass(frozen=True)
class ServerStutter:
    """SIGSTOP and SIGCONT in turns.

    Attributes:
        moment_s: How long it runs, and how long it stands.
        seconds: How long this goes on.
    """

    name: str = "server-stutter"
    description: str = "the engine's server or broker stands still for every other tenth of a second, for 5 s"
    needs: frozenset[Need] = frozenset()
    moment_s: float = 0.1
    seconds: float = 5.0

    async def inject(self, target: Target) -> Landing:
        """Stop it for the first time; a server that is none of ours is refused by ``target.server``."""
        at_s = time.monotonic()
        try:
            stopped = pause_session(_leader(target))
        except TimeoutError as error:
            raise FaultMissedError(str(error)) from error
        return Landing((), at_s, f"processes stopped: {len(stopped)}")

    async def heal(self, target: Target) -> None:
        """Go on so until the time is over. Whatever ends the loop, a cancellation too: it runs afterwards."""
        leader, until_s = _leader(target), time.monotonic() + self.seconds
        try:
            while time.monotonic() < until_s:
                await asyncio.sleep(self.moment_s)
                resume_session(leader)
                await asyncio.sleep(self.moment_s)
                pause_session(leader)
        finally:
            resume_session(leader)


def _leader(target: Target) -> int:
    child = target.server().child
    assert child is not None
    return child.pid


@hookimpl
def bakeoff_faults() -> Sequence[Fault]:
    """Called by ``bakeoff crash``; the name is the one for ``--fault``."""
    return (ServerStutter(),)
