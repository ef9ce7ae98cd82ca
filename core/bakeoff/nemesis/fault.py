"""What a fault is: something done from outside to a process of ours, while a saga stands at a point."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bakeoff.errors import BakeoffError
from bakeoff.processes import Child
from bakeoff.stack import Stack
from bakeoff.world.points import Reached


class FaultMissedError(BakeoffError):
    """The fault did not land; what follows says nothing about the engine."""


class FaultNotSupportedError(BakeoffError):
    """This engine, or this machine, has nothing that the fault could be done to; with the reason."""


class Need(StrEnum):
    """What a fault needs of the stack that it is done to; a stack is brought up for each set of needs."""

    SECOND_WORKER = "second-worker"  #: another worker is up and takes over
    POSTGRES = "postgres"  #: the services' database lets others write while a writer is paused
    PROXY = "proxy"  #: workers reach their servers through a TCP proxy of ours


@dataclass(frozen=True, slots=True)
class Target:
    """Where the fault is aimed.

    Attributes:
        stack: The running engine.
        at: The process that stands at the point.
    """

    stack: Stack
    at: Reached

    def worker(self) -> Child:
        """The worker whose session the process belongs to.

        Raises:
            FaultMissedError: If it is none of the workers that we started.
        """
        workers = self.stack.workers
        for child in workers.children if workers else ():
            if self.at.pid in child.members():
                return child
        raise FaultMissedError(f"process {self.at.pid} belongs to no worker that we started")


@dataclass(frozen=True, slots=True)
class Landing:
    """Proof that a fault landed.

    Attributes:
        ended: Processes that it was aimed at, by process id, and that were seen to end of it.
        at_s: Monotonic seconds at which it was done.
    """

    ended: tuple[int, ...]
    at_s: float


class Fault(Protocol):
    """A kind of fault; ``bakeoff_faults`` returns such objects."""

    @property
    def name(self) -> str:
        """For ``--fault``."""

    @property
    def description(self) -> str:
        """One line."""

    @property
    def needs(self) -> frozenset[Need]:
        """Of the stack."""

    async def inject(self, target: Target) -> Landing:
        """Do it, and see that it happened.

        Raises:
            FaultMissedError: If it did not land.
            FaultNotSupportedError: If there is nothing to do it to.
        """

    async def heal(self, target: Target) -> None:
        """Bring back what does not come back by itself; called right after the fault has landed."""
