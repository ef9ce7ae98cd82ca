"""What a client saw: every operation is invoked, and then ok, failed or unknown.

Stored as JSON Lines, two lines per operation, written when they happen: an operation whose second line is
missing (the harness died) is unknown, as in Jepsen's histories. Times are seconds of the generator's
monotonic clock since the history began; the first line of the file says when that was.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

from bakeoff.errors import StartUnknownError, UsageError
from bakeoff.saga import JSON

Completion = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a client.

    Attributes:
        name: ``start``, ``signal``, ``cancel``, ``result``; ``settled`` for what the harness read from the
            ledger.
        workflow_id: Of the saga.
        invoked_at_s, completed_at_s: Since the history began; the second ``None`` if it never completed.
        completion: How it ended.
        value: What came back (``result``: the outcome as JSON).
        error: ``"Type: message"`` if it failed or is unknown.
    """

    name: str
    workflow_id: str
    invoked_at_s: float
    completed_at_s: float | None = None
    completion: Completion = "unknown"
    value: JSON = None
    error: str | None = None


class Answer:
    """What an operation came back with; the caller sets ``value``."""

    value: JSON = None


class History:
    """An append-only history in a file."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("x", encoding="utf-8", buffering=1)
        self._zero_s = time.monotonic()
        self._number = 0
        self._write({"began_at": time.time()})

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def now_s(self) -> float:
        """Seconds since the history began."""
        return time.monotonic() - self._zero_s

    @contextmanager
    def operation(self, name: str, workflow_id: str) -> Iterator[Answer]:
        """Record one operation around the code that performs it; its exception passes through.

        ``StartUnknownError`` and a broken connection are *unknown*: it may or may not have happened.
        """
        self._number += 1
        number = self._number
        self._write(
            {"n": number, "type": "invoke", "op": name, "workflow_id": workflow_id, "at_s": self.now_s()}
        )
        answer = Answer()
        try:
            yield answer
        except BaseException as error:
            lost = isinstance(error, StartUnknownError | OSError) or not isinstance(error, Exception)
            self._write(
                {
                    "n": number,
                    "type": "unknown" if lost else "failed",
                    "at_s": self.now_s(),
                    "error": f"{type(error).__name__}: {error}",
                }
            )
            raise
        done = {"n": number, "type": "ok", "at_s": self.now_s(), "value": answer.value}
        try:
            self._write(done)
        except (TypeError, ValueError) as error:  # what came back is no JSON
            told = f"{type(error).__name__}: {error}"
            self._write({"n": number, "type": "unknown", "at_s": self.now_s(), "error": told})
            raise

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")


def read_history(path: Path) -> Sequence[Operation]:
    """Read a stored history in the order of invocation; a torn last line is left out.

    Raises:
        UsageError: If there is no such file, or a line in the middle is no line of a history.
    """
    operations: dict[int, Operation] = {}
    for number, line in _lines(path):
        try:
            _take(line, operations)
        except _NO_LINE as error:
            raise UsageError(f"{path}, line {number}: no line of a history ({error})") from error
    return list(operations.values())


def breaks_off(path: Path) -> bool:
    """Whether the last line was cut off while it was written.

    Raises:
        OSError: If there is no such file.
    """
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def began_at(path: Path) -> float:
    """When a stored history began, in Unix seconds.

    Raises:
        UsageError: If there is no such file, or it does not say.
    """
    for number, line in _lines(path):
        try:
            return float(line["began_at"])
        except _NO_LINE as error:
            raise UsageError(f"{path}, line {number}: no beginning of a history ({error})") from error
    raise UsageError(f"{path}: an empty history")


def stream_history(path: Path) -> Iterator[tuple[int, Operation]]:
    """``(number in the order of invocation, operation)`` in the order of completion.

    Holds only what has not completed yet; otherwise as ``read_history``.
    """
    begun: dict[int, Operation] = {}
    for number, line in _lines(path):
        try:
            completed = _take(line, begun)
        except _NO_LINE as error:
            raise UsageError(f"{path}, line {number}: no line of a history ({error})") from error
        if completed is not None:
            yield completed, begun.pop(completed)
    yield from begun.items()


#: What reading something else than a line of a history raises.
_NO_LINE = (KeyError, TypeError, ValueError, AttributeError)


#: As ``json.loads``, which asks for options every time.
_decode = json.JSONDecoder().decode


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    torn: UsageError | None = None
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                if torn is not None:
                    raise torn  # it is not the last line
                try:
                    line = _decode(text)
                except ValueError as error:
                    torn = UsageError(f"{path}, line {number}: not JSON ({error})")
                    continue
                yield number, line
    except OSError as error:
        raise UsageError(f"cannot read the history {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the history {path} is no text: {error}") from error


def _take(line: Any, operations: dict[int, Operation]) -> int | None:
    """Begin or complete an operation; return its number if it is completed."""
    if line.get("type") == "invoke":
        operations[line["n"]] = Operation(
            name=line["op"], workflow_id=line["workflow_id"], invoked_at_s=float(line["at_s"])
        )
        return None
    if "n" not in line:
        return None
    number: int = line["n"]
    begun = operations[number]
    operations[number] = Operation(
        name=begun.name,
        workflow_id=begun.workflow_id,
        invoked_at_s=begun.invoked_at_s,
        completed_at_s=float(line["at_s"]),
        completion=line["type"],
        value=line.get("value"),
        error=line.get("error"),
    )
    return number
