"""The state folder: how the other commands find what ``bakeoff up`` brought up."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.screen import warn
from bakeoff.deployment import Deployment
from bakeoff.errors import UsageError
from bakeoff.processes import removed_at_last, uninterrupted

_FILE = "up.json"
_LOCK = "up.lock"

#: Seconds that a starting ``up`` waits while another command merely looks whether one is running.
_PATIENCE_S = 1.0

#: Seconds that the other commands wait for a ``bakeoff up`` that has begun and is not up yet.
_STARTING_WITHIN_S = 60.0

StateOption = Annotated[
    Path,
    typer.Option(
        "--state",
        metavar="DIR",
        help="Folder in which `bakeoff up` tells the other commands where everything is.",
        envvar="BAKEOFF_STATE",
    ),
]
DEFAULT_STATE = Path(".bakeoff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What ``bakeoff up`` wrote down.

    Attributes:
        pid, host: Of its process.
        deployments: ``{engine: path of its deployment file}``.
        pages: ``{engine: {title: URL}}`` of web pages for people.
    """

    pid: int
    host: str
    deployments: Mapping[str, str]
    pages: Mapping[str, Mapping[str, str]]

    def deployment(self, engine: str | None) -> Deployment:
        """The deployment of ``engine``, or of the only engine that is up.

        Raises:
            UsageError: If that engine is not up, or several are and none was named.
        """
        return Deployment.load(self.deployment_file(engine))

    def deployment_file(self, engine: str | None) -> Path:
        """Where the deployment is written down; errors as in ``deployment``."""
        up = ", ".join(self.deployments)
        if engine is None:
            if len(self.deployments) > 1:
                raise UsageError(f"several engines are up ({up}); choose one with --engine")
            engine = next(iter(self.deployments))
        if engine not in self.deployments:
            raise UsageError(f"engine {engine!r} is not up here; up: {up}")
        return Path(self.deployments[engine])


@contextmanager
def held_state(folder: Path) -> Iterator[Path]:
    """Own the state folder while the context lasts; nothing of it is left afterwards.

    Raises:
        UsageError: If another ``bakeoff up`` owns it, or it cannot be written.
    """
    made = not folder.exists() or folder.name == DEFAULT_STATE.name
    lock: int | None = None
    try:
        with uninterrupted():
            lock = _own(folder)
        with removed_at_last(partial(_disown, folder, lock, made)):
            yield folder
    finally:
        if lock is not None:
            _disown(folder, lock, made)


def _own(folder: Path) -> int:
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UsageError(
                f"--state {folder}: cannot be written ({error.strerror}); name another folder"
            ) from error
        if not _locked(lock, fcntl.LOCK_EX, _PATIENCE_S):
            os.close(lock)
            raise UsageError(
                f"a `bakeoff up` is running in {folder} already; stop it, or give this one its own --state"
            )
        with contextlib.suppress(FileNotFoundError):
            if (folder / _LOCK).stat().st_ino == os.fstat(lock).st_ino:
                break
        os.close(lock)  # whoever held it has just ended and taken the file along
    _forget(folder / _FILE, lock)
    return lock


def _forget(file: Path, lock: int) -> None:
    """Remove what one that was killed has left; a file of the user's that is called so stays."""
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        found = None
    if not (isinstance(found, dict) and "deployments" in found):
        os.close(lock)
        raise UsageError(f"--state {file.parent}: its {file.name} is none of bakeoff's; name another folder")
    file.unlink(missing_ok=True)


def _disown(folder: Path, lock: int, made: bool) -> None:
    with uninterrupted():
        (folder / _FILE).unlink(missing_ok=True)
        (folder / _LOCK).unlink(missing_ok=True)
        if made:
            with contextlib.suppress(OSError):  # the user keeps something in there
                folder.rmdir()
        os.close(lock)


def write_state(folder: Path, running: Running) -> None:
    """Tell the other commands; from now on they find it."""
    unfinished = folder / f"{_FILE}.new"
    unfinished.write_text(json.dumps(asdict(running), indent=2))
    unfinished.replace(folder / _FILE)


def read_state(folder: Path, starting_within_s: float = _STARTING_WITHIN_S) -> Running:
    """What is up in this state folder; a ``bakeoff up`` that is still starting is waited for.

    Raises:
        UsageError: If nothing is, or it has not come up within ``starting_within_s`` seconds.
    """
    start_it = "start it in another terminal: bakeoff up --engine temporal"
    deadline = time.monotonic() + starting_within_s
    told = False
    while (running := _written(folder)) is None:
        if not is_held(folder, socket.gethostname()):
            raise UsageError(f"nothing is up in {folder}; {start_it}")
        if time.monotonic() >= deadline:
            raise UsageError(f"the `bakeoff up` in {folder} is still starting; look at its terminal")
        if not told:
            warn(f"the `bakeoff up` in {folder} is still starting ...")
            told = True
        time.sleep(0.1)
    if not is_held(folder, running.host):
        raise UsageError(f"what was up in {folder} is gone (process {running.pid}); {start_it}")
    return running


def _written(folder: Path) -> Running | None:
    try:
        found = json.loads((folder / _FILE).read_text())
    except (OSError, ValueError):
        return None
    try:
        return Running(**found)
    except TypeError:
        raise UsageError(
            f"{folder / _FILE} is of another version of bakeoff: use that one, or stop what is up there"
        ) from None


def is_held(folder: Path, host: str) -> bool:
    """Whether the ``bakeoff up`` that wrote this state still runs; on another host we must believe so."""
    if host != socket.gethostname():
        return True
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except PermissionError:
        return True  # another user's, who removes it at the end
    except OSError:
        return False
    try:
        return not _locked(lock, fcntl.LOCK_SH, 0)
    finally:
        os.close(lock)


def _locked(lock: int, kind: int, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True
