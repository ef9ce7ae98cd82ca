"""What a worker's generator writes is sent to the master while it is written, in compressed parts.

A worker may be on another machine, and may be lost: what had been sent by then is not. Locust's connection
keeps messages in order, so a file at the master is always the beginning of the worker's.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bakeoff_bench.load.generator.task import BEGAN, EFFORT, HISTORY, SAMPLES, note

#: Bytes of a file in one message, before they are compressed; lines are alike, a tenth of it is sent.
PART_BYTES = 1 << 18
_FILES = (SAMPLES, HISTORY)
#: Of zlib: the generator has better things to do with its CPU.
_LEVEL = 1

Message = dict[str, Any]


class Sending:
    """The files of one load, from a worker's side.

    Args:
        folder: Where its generator writes.
        send: Sends one message; it may raise, and then the same part is sent again.
    """

    def __init__(self, folder: Path, send: Callable[[Message], None]) -> None:
        self._folder = folder
        self._send = send
        self._sent = dict.fromkeys(_FILES, 0)

    def send_new(self) -> None:
        """Everything that was written since the last time."""
        for name in _FILES:
            file = self._folder / name
            if not file.exists():
                continue
            with file.open("rb") as opened:
                opened.seek(self._sent[name])
                while part := opened.read(PART_BYTES):
                    at = self._sent[name]
                    self._send({"file": name, "at": at, "data": zlib.compress(part, _LEVEL)})
                    self._sent[name] += len(part)

    def sizes(self) -> dict[str, int]:
        """``{file: bytes}`` that were sent."""
        return dict(self._sent)

    def began_s(self) -> float | None:
        """Monotonic seconds of this machine at which the load began; ``None`` before it is known."""
        began_s: float | None = _read(self._folder / BEGAN)
        return began_s

    def effort(self) -> dict[str, Any] | None:
        """What it cost the generator; ``None`` if it did not come to its end."""
        about: dict[str, Any] | None = _read(self._folder / EFFORT)
        return about


class Received:
    """The same files, from the master's side.

    Args:
        folder: Of one generator of one load; it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)

    def take(self, message: Message) -> None:
        """Put a part behind those before it; one that does not fit there is left out, and missed later."""
        if message["file"] not in _FILES:
            return
        with (self._folder / message["file"]).open("ab") as file:
            if file.tell() == message["at"]:
                file.write(zlib.decompress(message["data"]))

    def begin(self, at_s: float) -> None:
        """Note when its load began, in monotonic seconds of this machine."""
        note(self._folder / BEGAN, at_s)

    def end(self, effort: dict[str, Any] | None, sizes: Mapping[str, int]) -> str:
        """Note its effort, in this machine's clock; return what is missing, in words.

        Args:
            effort: As the generator wrote it, ``None`` if it did not come to its end.
            sizes: ``{file: bytes}`` that were sent.
        """
        if effort is not None:
            began_s = _read(self._folder / BEGAN)
            note(self._folder / EFFORT, effort if began_s is None else {**effort, "began_s": began_s})
        missing = {name: size - self._size(name) for name, size in sizes.items()}
        return ", ".join(f"{count} bytes of {name} are missing" for name, count in missing.items() if count)

    def _size(self, name: str) -> int:
        file = self._folder / name
        return file.stat().st_size if file.exists() else 0


def _read(file: Path) -> Any:
    return json.loads(file.read_text()) if file.exists() else None
