"""Which process belongs to which part of a deployment, told by sessions and by descent."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

import psutil

from bakeoff.processes import Child, Workers
from bakeoff.servers import RunningServer
from bakeoff.stack import Backend

#: ``RunningServer.server.role`` of the services' own database.
_LEDGER = "ledger"


class Role(StrEnum):
    """A part of what runs; all but the ledger are the engine's bill."""

    SERVERS = "servers"
    WORKERS = "workers"  #: and the services behind a bridge
    CLIENT = "client"
    #: The database of the services, where it is a server: every engine needs the same.
    LEDGER = "ledger"


#: What a deployment consists of.
DEPLOYMENT = (Role.SERVERS, Role.WORKERS, Role.CLIENT)


def roots(backend: Backend, workers: Workers | None = None) -> dict[int, Role]:
    """``{process id: role}`` of the processes of this deployment that we started ourselves.

    Args:
        backend: Its servers, and the workers of a ``Stack``.
        workers: Those of a backend that is no ``Stack``.
    """
    workers = workers or getattr(backend, "workers", None)
    found: dict[int, Role] = {}
    for server in backend.servers:
        role = Role.LEDGER if is_ledger(server) else Role.SERVERS
        found |= dict.fromkeys(_pids([server.child] if server.child else []), role)
    # What services do behind a bridge is what workers do without one.
    staff = [child for group in backend.services.values() for child in group.children]
    return found | dict.fromkeys(_pids([*(workers.children if workers else []), *staff]), Role.WORKERS)


def is_ledger(server: RunningServer) -> bool:
    """Whether it is the services' own database, and no server of the engine."""
    return server.server.role == _LEDGER


def _pids(children: Iterable[Child]) -> list[int]:
    return [pid for child in children for pid in (child.pid, *_pids(child.companions))]


def processes_of(backend: Backend) -> dict[int, Role]:
    """``{process id: role}`` of everything that runs now of this deployment, without its client."""
    return Family().members(roots(backend))


class Origin(NamedTuple):
    """Where a process comes from: the parent that it had when it was first seen, and its session."""

    parent: int
    session: int


class Family:
    """Everything that descends from some roots, or is in their sessions; living processes are remembered.

    A session alone would miss PostgreSQL's back ends, each of which opens its own; descent alone would miss
    what has lost its parent. Of a client's descendants those count that stay in its session: servers and
    workers that it has started have left it.
    """

    def __init__(self) -> None:
        self._origins: dict[int, Origin] = {}
        self._roles: dict[int, Role] = {}

    def members(self, roots: Mapping[int, Role]) -> dict[int, Role]:
        """``{process id: role}`` of all that is there now, zombies included."""
        pids = psutil.pids()
        self._see(pids)
        kept = {pid: role for pid, role in self._roles.items() if pid in self._origins}
        self._roles = {}
        for pid in pids:
            if (role := self._role(pid, roots, kept)) is not None:
                self._roles[pid] = role
        return dict(self._roles)

    def sessions(self) -> set[int]:
        """Those in which a member is."""
        return {self._origins[pid].session for pid in self._roles}

    def parent(self, pid: int) -> int:
        """The parent that a member had when it was first seen."""
        return self._origins[pid].parent

    def _see(self, pids: Collection[int]) -> None:
        known = self._origins
        self._origins = {pid: known[pid] for pid in pids if pid in known}
        for pid in pids:
            if pid not in known:
                with contextlib.suppress(OSError, psutil.Error):  # it has just ended, or is nobody's business
                    self._origins[pid] = Origin(psutil.Process(pid).ppid(), os.getsid(pid))

    def _role(self, pid: int, roots: Mapping[int, Role], kept: Mapping[int, Role]) -> Role | None:
        """Up the line of its parents, to the first of which the role is known."""
        session = None
        while (origin := self._origins.get(pid)) is not None:
            if session is None:
                session = origin.session
            role = roots.get(pid) or kept.get(pid) or roots.get(origin.session)
            if role is not None:
                return None if role is Role.CLIENT and origin.session != session else role
            if origin.parent in (0, pid):
                return None
            pid = origin.parent
        return None
