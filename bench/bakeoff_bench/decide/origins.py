"""Where facts come from: every stored run, the command that made it, its day and its machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bakeoff.errors import UsageError
from bakeoff_bench.report.sources import Kind, Source

#: Told twice they say the same; of everything else kills, or loads, would be counted twice.
_REPEATABLE = (Kind.CONTRACT, Kind.LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One stored run.

    Attributes:
        evidence: What findings call it: the path that was given, on the machine where it was read.
        name: What a report calls it.
        kind: Who wrote it.
        command: What made it.
        created_at: When, ISO 8601; ``None``: it does not say.
        machine: On which; ``None``: it does not say.
    """

    evidence: str
    name: str
    kind: str
    command: str
    created_at: str | None
    machine: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``from_json`` reverses it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Origin:
        """Reverse of ``to_json``; a file of format 1 knows names only."""
        return cls(**{"evidence": found["name"], **found})

    def __str__(self) -> str:
        """For a list."""
        day = self.created_at[:10] if self.created_at else "of an unknown day"
        return f"{self.evidence}: {self.command}, {day}"


def origins_of(sources: Sequence[Source]) -> list[Origin]:
    """In their order."""
    return [
        Origin(
            evidence=str(one.path),
            name=one.name,
            kind=str(one.kind),
            command=one.command,
            created_at=one.about.get("created_at"),
            machine=one.about.get("machine"),
        )
        for one in sources
    ]


def each_once(origins: Iterable[Origin]) -> list[Origin]:
    """The same contract results may come along in several files.

    Raises:
        UsageError: If a run does.
    """
    found: list[Origin] = []
    for one in origins:
        twice = next((other for other in found if _same_run(one, other)), None)
        if twice is not None:
            raise UsageError(
                f"{twice.evidence} and {one.evidence} are the same run ({one.command}, {one.created_at}): "
                "give it once, itself or the facts that were made of it"
            )
        if one not in found:
            found.append(one)
    return found


def _same_run(one: Origin, other: Origin) -> bool:
    whole = (one.kind, one.command, one.created_at)
    counts = one.created_at is not None and one.kind not in _REPEATABLE
    return counts and whole == (other.kind, other.command, other.created_at)
