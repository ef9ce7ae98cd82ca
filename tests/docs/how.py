"""How a block of the documentation is held to what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.cli.terminal import Terminal


class Level(StrEnum):
    """How much of a command line is done."""

    RUN = "run"  #: as it stands
    REDUCED = "run reduced"  #: the same commands with options that make them small
    PARSED = "parsed"  #: by the real command line, and every engine, setting, saga and point in it is known


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another test executes it, and takes it from the page.

    Attributes:
        by: ``tests/file.py::test_name``.
        level: How much of it, in that test. If that is a thorough one, plain ``pytest`` parses it.
    """

    by: str
    level: Level = Level.RUN


@dataclass(frozen=True, slots=True)
class Ran:
    """``test_blocks_run`` executes it.

    Attributes:
        lines: ``{line, or its beginning and ...: options put behind it}``; the other lines are parsed only.
            ``{port}`` is a free one.
        instead: ``{words of the page: what stands there in the test}``.
        codes: Exit codes that are right. A load that is void, as beside other tests, ends with 1.
        told: What its lines print, among other things.
        stage: What must be there before.
        thorough: Whether plain ``pytest`` only parses its lines: the same verb is run by another block.
    """

    lines: Mapping[str, str]
    instead: Mapping[str, str] = field(default_factory=dict)
    codes: Sequence[int] = (0,)
    told: str = ""
    stage: Callable[[Terminal], None] | None = None
    thorough: bool = False

    @property
    def level(self) -> Level:
        """As a whole."""
        return Level.REDUCED if self.instead or any(self.lines.values()) else Level.RUN

    def options_of(self, line: str) -> str | None:
        """What is put behind this line; ``None`` if it is parsed only."""
        return next((options for key, options in self.lines.items() if matches(key, line)), None)


@dataclass(frozen=True, slots=True)
class Parsed:
    """``test_blocks`` reads it with the real command line; ``why`` it is not run."""

    why: str
    level: Level = Level.PARSED


@dataclass(frozen=True, slots=True)
class Exempt:
    """Nothing that could be executed, or nothing here could execute it."""

    why: str


How = Elsewhere | Ran | Parsed | Exempt


def matches(key: str, line: str) -> bool:
    """Whether a line is meant; a key that ends with ``...`` is the beginning of one."""
    return line.startswith(key.removesuffix("...")) if key.endswith("...") else line == key
