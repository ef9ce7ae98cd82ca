"""What the generators of one load after the other saw of an engine, as one history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO


@dataclass(slots=True)
class Histories:
    """Puts histories behind each other, in the clock of the first, with numbers of their own.

    What was put there before is not read again: a load costs what it is, not what all before it were.

    Attributes:
        whole: File of all of them; a new one.
    """

    whole: Path
    _began_at: float | None = None
    _number: int = 0

    def append(self, parts: Sequence[Path]) -> None:
        """Put the histories of one load behind the others."""
        with self.whole.open("a", encoding="utf-8") as file:
            for part in parts:
                self._append(part, file)

    def _append(self, part: Path, file: TextIO) -> None:
        most, shift_s = 0, 0.0
        for line in _lines(part):
            if "n" not in line:
                if self._began_at is None:
                    self._began_at = line["began_at"]
                    file.write(json.dumps(line, separators=(",", ":")) + "\n")
                shift_s = line["began_at"] - self._began_at
                continue
            most = max(most, line["n"])
            line |= {"n": line["n"] + self._number, "at_s": line["at_s"] + shift_s}
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._number += most


def _lines(part: Path) -> Iterator[dict[str, Any]]:
    for text in part.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(text)
        except ValueError:
            return  # torn: its writer was killed
