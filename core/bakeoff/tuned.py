"""Class ``tuned``: the values that a search found, in the file that `bakeoff tune` writes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.errors import UsageError
from bakeoff.settings import ConfigClass, Setting, SettingsInForce, Value

#: Environment variable that names the file, and where it is looked for otherwise.
VARIABLE = "BAKEOFF_TUNED"
FILE = "bakeoff-tuned.toml"
#: The only layout of the file that there has been.
FORMAT = 1
_SEARCH = "`bakeoff tune` searches and writes it"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was found.

    Attributes:
        where: The file, as messages may show it.
        values: ``{engine: {setting: value}}`` that differ from class ``recommended``. An engine for which
            nothing better was found has an empty entry; one that was never searched has none.
    """

    where: str
    values: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def knows(self, engine: str, declared: Sequence[Setting]) -> bool:
        """Whether somebody searched for its values; of an engine without anything to try nobody has to."""
        return engine in self.values or not any(one.tries for one in declared)

    def of(self, engine: str, declared: Sequence[Setting]) -> dict[str, str]:
        """The values of an engine, as ``--set`` would say them; none if there is nothing to try.

        Raises:
            UsageError: If nobody searched for them.
        """
        if not self.knows(engine, declared):
            raise UsageError(
                f"--config tuned: {self.where} says nothing about {engine}; "
                f"`bakeoff tune --engine {engine}` searches"
            )
        return {name: as_text(value) for name, value in self.values.get(engine, {}).items()}


def as_text(value: Value) -> str:
    """A value as ``--set`` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_tuned(environ: Mapping[str, str]) -> Tuned:
    """Read the file that ``BAKEOFF_TUNED`` names, or the one in the current folder.

    Raises:
        UsageError: If it is not there, or is none of ours.
    """
    named = environ.get(VARIABLE)
    return read_tuned_file(Path(named or FILE), f"{VARIABLE}={named}" if named else FILE)


def read_tuned_file(path: Path, where: str) -> Tuned:
    """Read a file of tuned values; ``where`` is how messages call it.

    Raises:
        UsageError: If it is not there, or is none of ours.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"--config tuned: there is no {where}; {_SEARCH}, and {VARIABLE}=FILE says where it is"
        ) from None
    except OSError as error:
        raise UsageError(f"--config tuned: {where} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--config tuned: {where} is no TOML: {error}; {_SEARCH}") from None
    if data.get("format") != FORMAT:
        raise UsageError(
            f"--config tuned: {where} has format {data.get('format')!r}, and this bakeoff reads {FORMAT}; "
            f"{_SEARCH} anew"
        )
    settings = data.get("settings", {})
    if not isinstance(settings, dict) or not all(isinstance(one, dict) for one in settings.values()):
        raise UsageError(f"--config tuned: {where}: [settings.ENGINE] must be a table of settings")
    for engine, values in settings.items():
        for name, value in values.items():
            if not isinstance(value, str | int | float | bool):
                raise UsageError(f"--config tuned: {where}: settings.{engine}.{name} is no single value")
    return Tuned(where, settings)


def spelled_out(declared: Sequence[Setting], settings: SettingsInForce) -> tuple[ConfigClass, dict[str, str]]:
    """The class and the ``--set`` values that give the same on a machine without the file.

    What was changed beside it (``settings.changed``) is left out: whoever asks has said that already.
    """
    if settings.config_class is not ConfigClass.TUNED:
        return settings.config_class, {}
    found = {
        one.name: as_text(settings[one.name])
        for one in declared
        if one.name not in settings.changed
        and settings.applies(one.name)
        and settings[one.name] != one.recommended
    }
    return ConfigClass.RECOMMENDED, found
