"""Failures of the machine, neither ours nor the user's: a database that went away, a disk that is full."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Iterator

from bakeoff.credentials import hide_credentials

_OF_DISKS = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EIO}
_OF_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}
#: What is wrong with a path that somebody named, wherever it is noticed.
_OF_PATHS = {
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
    *(errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENOTEMPTY),
}
_KEPT = "what was recorded until then is in the folder of --out, if there is one"


def of_the_machine(error: BaseException) -> str | None:
    """A line for the user, or ``None`` if it is ours to repair and needs its traceback."""
    words = [_word(leaf) for leaf in _leaves(error)]
    return words[0] if all(words) else None


def of_a_path(error: BaseException) -> str | None:
    """A line for the user about a path that cannot be used, or ``None`` if it is about something else."""
    if not isinstance(error, OSError) or error.errno not in _OF_PATHS or not error.filename:
        return None
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes | str) else str(error.filename)
    return f"{name}: {error.strerror}; name another place, or change its permissions"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """What several tasks raised at the same time, one by one."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _word(error: BaseException) -> str | None:
    raised = sys.modules.get("sqlalchemy.exc")  # importing it for this would cost every command its time
    if raised is not None and isinstance(
        error, raised.OperationalError | raised.InterfaceError | raised.InternalError
    ):
        first = hide_credentials(next(iter(str(error.orig).splitlines()), type(error.orig).__name__))
        return f"the services' database does not work any more: {first}; {_KEPT}"
    if isinstance(error, sqlite3.OperationalError):
        return f"the services' database does not work any more: {error}; {_KEPT}"
    if isinstance(error, OSError) and error.errno in _OF_DISKS:
        where = f" ({error.filename})" if error.filename else ""
        return f"nothing more can be written{where}: {error.strerror}; {_KEPT}"
    if isinstance(error, OSError) and error.errno in _OF_LIMITS:
        return f"this machine gives no more: {error.strerror} (`ulimit -a` tells its limits); {_KEPT}"
    if isinstance(error, MemoryError):
        return f"this machine has no memory left; {_KEPT}"
    return None
