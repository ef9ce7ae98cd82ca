"""What ``bakeoff doctor`` tries: this machine, then every server for real."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from bakeoff.cli.inventory import Installed, missing_program, needed_servers, servers_by_kind
from bakeoff.errors import BakeoffError
from bakeoff.processes import Launcher, free_ports, is_gone, port_is_free
from bakeoff.servers import RunningServer, Server, start_server
from bakeoff.world import World
from bakeoff.world.database import file_url

#: A run with four engines holds a few hundred files and sockets.
_FEW_FILES, _TOO_FEW_FILES = 1024, 256
_LITTLE_DISK, _TOO_LITTLE_DISK = 1_000_000_000, 150_000_000
_LITTLE_MEMORY = 1_000_000_000
#: Any clock before this project's first year is wrong.
_EARLIEST = 1_767_225_600.0


class Verdict(StrEnum):
    """What came of one check; only ``failed`` makes the exit code 1."""

    OK = "ok"
    MISSING = "missing"  #: optional and not installed
    WARNING = "warning"  #: works, but not well
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: ``advice`` says what to do, ``seconds`` how long the server took."""

    subject: str
    verdict: Verdict
    detail: str
    advice: str = ""
    seconds: float | None = None


def machine_findings() -> Iterator[Finding]:
    """What must be true of any machine, most basic first."""
    yield _system()
    folder = _temporary_folder()
    yield folder
    if folder.verdict is Verdict.FAILED:
        return  # nothing else can be tried
    yield _ports()
    yield _open_files()
    yield _clock()
    yield _memory()


def _system() -> Finding:
    detail = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if sys.platform not in ("linux", "darwin"):
        return Finding("system", Verdict.FAILED, detail, "use Linux or macOS: the servers exist only there")
    return Finding("system", Verdict.OK, f"{detail}, {os.cpu_count()} CPUs")


def _temporary_folder() -> Finding:
    try:
        folder = Path(tempfile.gettempdir())
        with tempfile.TemporaryDirectory(dir=folder) as inside:
            World.create(file_url(Path(inside) / "world.db")).close()
        free = shutil.disk_usage(folder).free
    except (OSError, BakeoffError) as error:
        return Finding(
            "temporary folder",
            Verdict.FAILED,
            f"cannot be written: {error}",
            "set TMPDIR to a folder of yours",
        )
    detail = f"{folder} takes a database, {free / 1e9:.1f} GB free"
    if free < _LITTLE_DISK:
        verdict = Verdict.FAILED if free < _TOO_LITTLE_DISK else Verdict.WARNING
        return Finding("temporary folder", verdict, detail, "make room, or set TMPDIR to a larger disk")
    return Finding("temporary folder", Verdict.OK, detail)


def _ports() -> Finding:
    try:
        ports = free_ports(20)
    except OSError as error:
        advice = "allow this process to listen on 127.0.0.1"
        return Finding("ports", Verdict.FAILED, f"none on the loopback interface: {error}", advice)
    return Finding("ports", Verdict.OK, f"{len(ports)} free ones on the loopback interface")


def _open_files() -> Finding:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and limit < _FEW_FILES:
        verdict = Verdict.FAILED if limit < _TOO_FEW_FILES else Verdict.WARNING
        return Finding("open files", verdict, f"at most {limit} in one process", "ulimit -n 4096")
    return Finding("open files", Verdict.OK, f"up to {limit} in one process")


def _clock() -> Finding:
    with tempfile.NamedTemporaryFile() as file:
        offset = Path(file.name).stat().st_mtime - time.time()
    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    if time.time() < _EARLIEST:
        return Finding("clock", Verdict.FAILED, f"it says {now}", "set the system's clock")
    if abs(offset) > 2:
        detail = f"files are stamped {offset:+.0f} s off"
        return Finding("clock", Verdict.WARNING, detail, "set TMPDIR to a local disk")
    tick = time.get_clock_info("monotonic").resolution
    return Finding("clock", Verdict.OK, f"{now}, measures in steps of {tick * 1e9:.0f} ns")


def _memory() -> Finding:
    available = psutil.virtual_memory().available
    detail = f"{available / 1e9:.1f} GB available"
    if available < _LITTLE_MEMORY:
        return Finding("memory", Verdict.WARNING, detail, "run fewer engines at once: --engine NAME")
    return Finding("memory", Verdict.OK, detail)


async def server_findings(
    engines: Sequence[Installed], scratch: Path, note: Callable[[Finding], None], *, named: bool
) -> None:
    """Report each engine's plug-in, then start, ask and stop every server that they can use.

    Args:
        engines: Those to look at.
        scratch: Data and logs go here.
        note: Called with each finding as soon as it is known.
        named: The user asked for these engines, so a missing one is a failure.
    """
    for one in engines:
        if one.info is None:
            verdict = Verdict.FAILED if named else Verdict.MISSING
            note(Finding(f"engine {one.name}", verdict, "cannot be loaded", one.problem or ""))
        else:
            versions = ", ".join(f"{what} {version}" for what, version in one.info.versions.items())
            note(Finding(f"engine {one.name}", Verdict.OK, versions))
    needed = {kind for one in engines if one.engine for kind in needed_servers(one.engine)}
    for kind, (server, users) in servers_by_kind(engines).items():
        subject = f"server {kind} ({', '.join(users)})"
        missing = missing_program(server)
        if missing is not None:
            verdict = Verdict.FAILED if kind in needed else Verdict.MISSING
            note(Finding(subject, verdict, "not installed", missing))
        else:
            note(await _try(subject, server, scratch / kind))


def _family(running: RunningServer) -> list[int]:
    """Process ids of a server that we started, and of all that it started."""
    if running.child is None:
        return []
    try:
        children = psutil.Process(running.child.pid).children(recursive=True)
    except psutil.Error:
        children = []
    return [running.child.pid, *(one.pid for one in children)]


async def _try(subject: str, server: Server, folder: Path) -> Finding:
    folder.mkdir()
    started = time.monotonic()
    try:
        with Launcher(folder / "logs") as launcher:
            running = await start_server(server, launcher, folder)
            seconds = time.monotonic() - started
            family = _family(running)
    except BakeoffError as error:
        return Finding(subject, Verdict.FAILED, "does not start", str(error))
    # The ports that people expect may be somebody else's by now; the others were chosen at random.
    alive = not all(map(is_gone, family))
    wanted = {*server.preferred_ports().values()} - ({*running.ports.values()} if alive else set())
    held = [port for port in running.ports.values() if port not in wanted and not port_is_free(port)]
    if held:
        return Finding(
            subject, Verdict.FAILED, f"still holds port {held[0]} after its stop", "kill that process"
        )
    elsewhere = [
        f"port {port} is taken, so {name} moves"
        for name, port in server.preferred_ports().items()
        if running.ports.get(name) != port
    ]
    detail = f"{running.version} starts, answers and stops"
    return Finding(subject, Verdict.OK, "; ".join([detail, *elsewhere]), seconds=seconds)
