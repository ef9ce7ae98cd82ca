"""What a fault is: something done from outside to a process of ours, while a saga stands at a point."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bakeoff.bridge.bridges import ROLE
from bakeoff.bridge.commands import command_of
from bakeoff.errors import BakeoffError
from bakeoff.processes import Child, Workers
from bakeoff.saga import Saga
from bakeoff.servers import RunningServer
from bakeoff.stack import Stack
from bakeoff.world.points import Reached, reached, release

#: Role of the services' database, which belongs to no engine: a fault there would be blamed on the engine.
_LEDGER = "ledger"
#: Start-to-close timeout in seconds of something that is no step.
_NO_TIMEOUT_S = 10.0
#: Attempts of a call without a limit that are waited for, and seconds beyond the last one.
_ENDLESS, _BEYOND_S = 3, 1.0


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
        saga: That is struck; if it is not told, the first one with a step of that name.
    """

    stack: Stack
    at: Reached
    saga: Saga | None = None

    @property
    def _sagas(self) -> Sequence[Saga]:
        return [self.saga] if self.saga is not None else list(self.stack.sagas.values())

    def worker(self) -> Child:
        """The worker whose session the process belongs to.

        Raises:
            FaultMissedError: If it is none of the workers that we started.
        """
        workers = self.stack.workers
        for child in workers.children if workers else ():
            if self.at.pid in child.members():
                return child
        if self.service_at() is not None:
            raise FaultNotSupportedError("the process at this point is a service's, not the engine's")
        raise FaultMissedError(f"process {self.at.pid} belongs to no worker that we started")

    def service_at(self) -> Child | None:
        """The service process that stands at the point, if it is one."""
        children = (child for group in self.stack.services.values() for child in group.children)
        return next((child for child in children if self.at.pid in child.members()), None)

    def service(self) -> Workers:
        """The processes of the service whose command the call at the point is.

        Raises:
            FaultNotSupportedError: If there is no bridge, so that steps act in the workers.
        """
        aim = self.at.aim
        if not self.stack.services:
            raise FaultNotSupportedError("there is no bridge: steps act in the engine's own workers")
        for saga in self._sagas:
            for step in saga.steps():
                function = step.action if aim.direction == "action" else step.compensation
                if step.name == aim.step and function is not None:
                    return self.stack.services[command_of(function).address.service]
        raise FaultNotSupportedError(f"{aim.step or 'this point'} is no step, so no service does it")

    def server(self, role: str | None = None) -> RunningServer:
        """The engine's first server, or the one with this role.

        Raises:
            FaultNotSupportedError: If the engine has none, or somebody else started it.
        """
        shared = () if role == ROLE else (_LEDGER, ROLE)
        servers = [one for one in self.stack.servers if one.server.role not in shared]
        if not servers:
            raise FaultNotSupportedError("it has no server")
        found = [one for one in servers if role is None or one.server.role == role]
        if not found:
            listed = ", ".join(one.server.role for one in servers)
            raise FaultNotSupportedError(f"it has no server of its own for {role}, only for: {listed}")
        if found[0].child is None:
            raise FaultNotSupportedError("a server that we did not start is left alone")
        return found[0]

    def let_go(self, pids: Collection[int]) -> None:
        """Let those of these processes that stand at a point go on now, rather than after the fault."""
        engine = self.stack.world.engine
        for one in reached(engine):
            if one.pid in pids:
                release(engine, one.id)

    def timeout_s(self) -> float:
        """Start-to-close timeout of the call that is struck, in seconds."""
        aim = self.at.aim
        steps = [step for saga in self._sagas for step in saga.steps() if step.name == aim.step]
        own = [step.timeout if aim.direction == "action" else step.compensation_timeout for step in steps]
        return max((timeout.total_seconds() for timeout in own), default=_NO_TIMEOUT_S)

    def patience_s(self) -> float:
        """Seconds in which every attempt of the call that is struck has had its time, and a little more."""
        aim = self.at.aim
        for saga in self._sagas:
            if any(step.name == aim.step for step in saga.steps()):
                policy = saga.retry_of(saga.step(aim.step), aim.direction)
                attempts = policy.maximum_attempts or _ENDLESS
                pauses = sum(policy.delay_after(n).total_seconds() for n in range(1, attempts))
                return attempts * self.timeout_s() + pauses + _BEYOND_S
        return _NO_TIMEOUT_S

    def lease_s(self) -> float:
        """Seconds for which the engine keeps the call for a process that has fallen silent."""
        declared = self.stack.info.lease_s
        return self.timeout_s() if declared is None else declared


@dataclass(frozen=True, slots=True)
class Landing:
    """Proof that a fault landed.

    Attributes:
        ended: Processes that it was aimed at, by process id, and that were seen to end of it; empty for a
            fault that ends no process.
        at_s: Monotonic seconds at which it was done.
        seen: What was seen of it, in words.
    """

    ended: tuple[int, ...]
    at_s: float
    seen: str = ""


class Fault(Protocol):
    """A kind of fault; ``bakeoff_faults`` returns such objects.

    One object serves every kill of a run, one after the other: what it must remember between ``inject`` and
    ``heal`` it finds in the stack.
    """

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

        Processes that stand at points stand there until this returns, unless it lets them go. A cancellation
        must leave nothing paused or cut off.

        Raises:
            FaultMissedError: If it did not land.
            FaultNotSupportedError: If there is nothing to do it to.
        """

    async def heal(self, target: Target) -> None:
        """Bring back what does not come back by itself, when it has lasted long enough.

        Called right after the fault has landed and the processes at points were let go. A cancellation must
        leave nothing paused or cut off.
        """
