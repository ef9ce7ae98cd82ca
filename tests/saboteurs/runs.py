"""Runs pairs of saboteur and contract test, in a pytest of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bakeoff.contract
from tests.saboteurs.catalogue import SABOTEURS

ROOT = Path(__file__).parents[2]
_CONTRACT = Path(bakeoff.contract.__file__).parent
#: Seconds: a lost saga must not cost the usual patience.
_PATIENCE_S = 5.0

Pair = tuple[str, str]


@dataclass(frozen=True)
class KillRun:
    """A started run; ``statuses`` waits for it."""

    popen: subprocess.Popen[str]
    result: Path

    @classmethod
    def start(cls, pairs: Iterable[Pair], folder: Path, patience_s: float = _PATIENCE_S) -> KillRun:
        """Start contract tests against saboteurs; ``pairs`` holds ``(saboteur, test)``."""
        wanted = list(pairs)
        result, unreviewed = folder / "result.json", folder / "nothing-reviewed.json"
        unreviewed.write_text("{}")
        plugins = [
            argument
            for name in dict.fromkeys(name for name, _ in wanted)
            for argument in ("--engine-plugin", f"{name}=tests.saboteurs.catalogue:{name}", "--engine", name)
        ]
        argv = [
            *(sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider"),
            *("--contract-patience", str(patience_s), "--contract-json", str(result)),
            *("--contract-reviewed", str(unreviewed), f"--basetemp={folder / 'tmp'}"),
            *plugins,
            *(_node_id(*pair) for pair in wanted),
        ]
        with (folder / "output.txt").open("w") as output:
            popen = subprocess.Popen(argv, cwd=ROOT, text=True, stdout=output, stderr=subprocess.STDOUT)
        return cls(popen, result)

    def statuses(self, timeout_s: float) -> Mapping[Pair, tuple[str, str]]:
        """``{(saboteur, test): (status, reason)}``."""
        try:
            self.popen.wait(timeout_s)
        finally:
            self.popen.kill()
        assert self.result.exists(), (self.result.parent / "output.txt").read_text()
        tests: dict[str, Any] = json.loads(self.result.read_text())["tests"]
        return {
            (label.partition("[")[0], test): (found["status"], found["reason"])
            for test, entry in tests.items()
            for label, found in entry["results"].items()
        }


def contract_tests() -> list[str]:
    """Every contract test as the matrix names it."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--engine=inline", "--collect-only", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.rpartition("/")[2] for line in done.stdout.splitlines() if "::" in line]
    return [line.replace(".py", "").replace("[inline]", "").replace("[inline-", "[") for line in lines]


def _node_id(name: str, test: str) -> str:
    module, _, rest = test.partition("::")
    function, bracket, parameters = rest.partition("[")
    saboteur = SABOTEURS.get(name)
    label = f"{name}[valkey]" if saboteur and saboteur.has_broker else name
    inner = f"{label}-{parameters}" if bracket else f"{label}]"
    return f"{_CONTRACT / module}.py::{function}[{inner}"
