"""Results of the contract suite: test by test, engine by engine; compared with the reviewed matrix."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bakeoff.contract.statuses import ContractStatus
from bakeoff.errors import UsageError
from bakeoff.machine import machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one test found out about one engine.

    Attributes:
        test: ``module::test[parameters]`` without the engine.
        label: Column of the matrix (see ``Contestant.label``).
        promise: First sentence of the test's docstring.
        needs: Capabilities it asked for.
        reason: Why it was not judged or failed; empty when passed.
        seconds: Duration, without bringing the engine up.
    """

    test: str
    label: str
    status: ContractStatus
    promise: str
    needs: tuple[str, ...]
    reason: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Results:
    """All results of a session, and the reviewed matrix ``{label: {test: status}}``.

    Raises:
        UsageError: If the reviewed file exists and holds no such matrix.
    """

    reviewed_file: Path
    found: dict[tuple[str, str], Result] = field(default_factory=dict)
    reviewed: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.reviewed = _read(self.reviewed_file) if self.reviewed_file.exists() else {}

    def add(self, result: Result) -> None:
        """Keep a result; the last one of a test counts."""
        self.found[result.test, result.label] = result

    def reviewed_status(self, test: str, label: str) -> ContractStatus | None:
        """The reviewed status; ``None`` for what nobody has looked at yet."""
        status = self.reviewed.get(label, {}).get(test)
        return ContractStatus(status) if status else None

    def labels(self) -> list[str]:
        """Columns, in order of appearance."""
        return list(dict.fromkeys(label for _, label in self.found))

    def tests(self) -> list[str]:
        """Rows, in order of appearance."""
        return list(dict.fromkeys(test for test, _ in self.found))

    def store(self) -> None:
        """Write the statuses of this session into the reviewed matrix; other columns and rows stay."""
        for result in self.found.values():
            self.reviewed.setdefault(result.label, {})[result.test] = str(result.status)
        ordered = {label: dict(sorted(column.items())) for label, column in sorted(self.reviewed.items())}
        self.reviewed_file.write_text(json.dumps(ordered, indent=1) + "\n")

    def to_json(self, engines: dict[str, Any], command: str) -> dict[str, Any]:
        """The machine-readable result, with the day on which it is written, and the machine.

        Args:
            engines: ``{label: description}``.
            command: What makes it again.
        """
        tests: dict[str, Any] = {}
        for result in self.found.values():
            entry = tests.setdefault(
                result.test, {"promise": result.promise, "needs": list(result.needs), "results": {}}
            )
            reviewed = self.reviewed_status(result.test, result.label)
            entry["results"][result.label] = {
                "status": str(result.status),
                "reviewed": str(reviewed) if reviewed else None,
                "reason": result.reason,
                "seconds": round(result.seconds, 3),
            }
        return {
            "format": 1,
            "bakeoff": version("bakeoff"),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "machine": machine(),
            "engines": engines,
            "tests": tests,
        }


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        matrix = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"reviewed matrix {file}: it cannot be read: {error.strerror}") from error
    except ValueError as error:  # neither UTF-8 nor JSON
        raise UsageError(f"reviewed matrix {file}: it is not JSON: {error}") from error
    if not isinstance(matrix, dict) or not all(isinstance(column, dict) for column in matrix.values()):
        raise UsageError(f"reviewed matrix {file}: it is not {{engine: {{test: status}}}}")
    for label, column in matrix.items():
        for test, status in column.items():
            if status not in list(ContractStatus):
                known = ", ".join(ContractStatus)
                raise UsageError(
                    f"reviewed matrix {file}: {test} on {label} is {status!r}; known are {known}"
                )
    return matrix
