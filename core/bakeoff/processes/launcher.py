"""Starts processes so that none of them outlives the harness."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from bakeoff.errors import ServerStartError
from bakeoff.processes.affinity import pinned
from bakeoff.processes.child import Child
from bakeoff.processes.scratch import scratch_folder
from bakeoff.processes.watchdog import Watchdog


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How one process is started.

    Attributes:
        argv: Program and arguments.
        env: Variables on top of the harness's own environment.
        user, group: Numeric ids to run as, where a program refuses to run as root.
        companions: Processes that must run beside it; started first, stopped last.
        stop_within_s: Seconds between SIGTERM and SIGKILL.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    group: int | None = None
    companions: tuple[Launch, ...] = ()
    stop_within_s: float = 10.0


class Launcher:
    """A context in which processes live; leaving it stops them in reverse order of their start.

    ``cpus``: they run on these only, whenever they are started (``bakeoff.processes.pinned``).
    """

    def __init__(self, log_folder: Path, cpus: Collection[int] | None = None) -> None:
        self._logs = log_folder
        self._cpus = cpus
        self._watchdog: Watchdog | None = None
        self._children: list[tuple[Child, float]] = []
        self._temporary: Path | None = None
        self._hurried = False
        self._cleanup = ExitStack()

    def __enter__(self) -> Launcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def watchdog(self) -> Watchdog:
        """The process that cleans up if this one is killed; started at first use."""
        if self._watchdog is None:
            self._watchdog = Watchdog()
        return self._watchdog

    def start(self, name: str, launch: Launch) -> Child:
        """Start one process (and its companions) in a session of its own.

        Raises:
            ServerStartError: If the program cannot be executed.
            UsageError: If the launcher's CPUs are not to be had.
        """
        companions = tuple(
            self.start(f"{name}-companion-{number}", companion)
            for number, companion in enumerate(launch.companions)
        )
        watchdog = self.watchdog
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            try:
                with pinned(self._cpus):
                    popen = subprocess.Popen(
                        list(launch.argv),
                        env={**os.environ, **self._temporary_files(launch), **launch.env},
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                        user=launch.user,
                        group=launch.group,
                    )
            except OSError as error:
                raise ServerStartError(f"{name}: cannot run {launch.argv[0]}: {error}") from error
        child = Child(name, popen, log, companions)
        self._children.append((child, launch.stop_within_s))
        watchdog.watch(popen.pid)
        return child

    def _temporary_files(self, launch: Launch) -> Mapping[str, str]:
        """A place for temporary files that is swept even if the process that made them was killed."""
        if launch.user is not None:
            return {}  # another user could not write there
        if self._temporary is None:
            self._temporary = self._cleanup.enter_context(scratch_folder("tmp"))
        return {"TMPDIR": str(self._temporary)}

    def stop(self, child: Child, patience_s: float | None = None) -> None:
        """Stop one child and everything in its session."""
        for entry in [entry for entry in self._children if entry[0] is child]:
            own_s = 0.0 if self._hurried else entry[1]
            child.stop(own_s if patience_s is None else patience_s)
            self._children.remove(entry)
            self.watchdog.forget(child.pid)

    def hurry(self) -> None:
        """Give no child time to put things in order when its turn to stop comes.

        For whoever throws everything away that they would put in order.
        """
        self._hurried = True

    def close(self) -> None:
        """Stop everything, last started first, then the watchdog."""
        for child, _ in reversed(list(self._children)):
            self.stop(child)
        if self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None
        self._temporary = None
        self._cleanup.close()
