"""Typed access to plug-ins, one engine at a time; of the bridges' hook, see ``bakeoff.bridge.plugged``.

A plug-in that cannot be imported is reported and does not stop the others.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import pluggy

from bakeoff import hookspecs
from bakeoff.errors import EngineUnavailableError, UnknownNameError

if TYPE_CHECKING:
    import typer

    from bakeoff.engine import OrchestrationEngine
    from bakeoff.nemesis import Fault
    from bakeoff.settings import SettingsInForce

ENGINES_GROUP = "bakeoff.engines"
FAULTS_GROUP = "bakeoff.faults"
COMMANDS_GROUP = "bakeoff.commands"


@dataclass
class Plugins:
    """Engines and commands that are installed, plus those that a caller adds by name.

    Attributes:
        extra: ``{engine name: module or module:attribute}`` of engines outside any entry point (tests,
            ``--plugin``).
    """

    extra: dict[str, str] = field(default_factory=dict)

    def engine_names(self) -> list[str]:
        """Names of all engines that could be asked for, sorted; nothing is imported."""
        return sorted({entry.name for entry in entry_points(group=ENGINES_GROUP)} | set(self.extra))

    def engine(self, name: str) -> OrchestrationEngine:
        """Load one engine and only that one.

        Raises:
            UnknownNameError: If nobody installed an engine of this name.
            EngineUnavailableError: If its plug-in cannot be imported or its SDK is missing.
        """
        manager = self._manager()
        try:
            module = self._engine_module(name)
            manager.register(module, name=name)
            manager.check_pending()
            found: Sequence[OrchestrationEngine | None] = manager.hook.bakeoff_engine()
            engines = [engine for engine in found if engine is not None]
            if len(engines) != 1:
                raise EngineUnavailableError(
                    f"engine {name!r}: its plug-in returns {len(engines)} engines, not one"
                )
            check_engine(engines[0])
            engines[0].name = name
        except (EngineUnavailableError, UnknownNameError):
            raise
        except (Exception, SystemExit) as error:  # a stranger's module may fail in any way at all
            raise EngineUnavailableError(f"engine {name!r} cannot be loaded: {in_a_line(error)}") from error
        return engines[0]

    def _engine_module(self, name: str) -> object:
        if name in self.extra:
            module_name, _, attribute = self.extra[name].partition(":")
            module = importlib.import_module(module_name)
            return getattr(module, attribute) if attribute else module
        entries = [entry for entry in entry_points(group=ENGINES_GROUP) if entry.name == name]
        if not entries:
            known = self.engine_names()
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UnknownNameError(f"engine {name!r} is not installed; installed: {', '.join(known)}.{hint}")
        return entries[0].load()

    def faults(self) -> dict[str, Fault]:
        """Every kind of fault that is installed, by name, ours first.

        Raises:
            EngineUnavailableError: If a plug-in with faults cannot be loaded.
        """
        found: dict[str, Fault] = {}
        ours = EntryPoint("bakeoff", "bakeoff.nemesis", FAULTS_GROUP)
        for entry in [ours, *entry_points(group=FAULTS_GROUP)]:
            manager = self._manager()
            try:
                manager.register(_load(entry), name=entry.name)
                manager.check_pending()
                given: Sequence[Sequence[Fault]] = manager.hook.bakeoff_faults()
                found |= {fault.name: fault for faults in given for fault in faults}
            except (Exception, SystemExit) as error:  # see engine()
                raise EngineUnavailableError(
                    f"faults of {entry.name!r} cannot be loaded: {in_a_line(error)}"
                ) from error
        return found

    def register_commands(self, cli: typer.Typer) -> list[str]:
        """Let every command plug-in add its commands; return one message per plug-in that failed."""
        problems: list[str] = []
        for entry in entry_points(group=COMMANDS_GROUP):
            manager = self._manager()  # one each: the hook of a broken plug-in must not stop the others
            try:
                manager.register(_load(entry), name=entry.name)
                manager.check_pending()
                manager.hook.bakeoff_register_commands(cli=cli)
            except (Exception, SystemExit) as error:  # see engine()
                problems.append(f"command plug-in {entry.name!r} cannot be loaded: {in_a_line(error)}")
        return problems

    @staticmethod
    def _manager() -> pluggy.PluginManager:
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        return manager


def _load(entry: EntryPoint) -> object:
    return entry.load()


def check_engine(engine: OrchestrationEngine, settings: SettingsInForce | None = None) -> None:
    """Whether a stranger's object is an engine that can at least describe itself, with these settings.

    Raises:
        TypeError: If it lacks a method or a claim, or describes itself with something else.
    """
    from bakeoff.engine import Capability, EngineInfo

    missing = [name for name in _METHODS if not callable(getattr(engine, name, None))]
    if missing:
        raise TypeError(f"{engine!r} is no engine: it has no {', '.join(f'{name}()' for name in missing)}")
    info = engine.info(settings)
    if not isinstance(info, EngineInfo):
        raise TypeError(f"its info() returns {type(info).__name__}, not EngineInfo")
    unclaimed = [str(capability) for capability in Capability if capability not in info.claims]
    if unclaimed:
        raise TypeError(f"it makes no claim about {', '.join(unclaimed)}")


_METHODS = ("info", "servers", "worker_command", "connect")


def in_a_line(error: BaseException) -> str:
    """``Type: message`` of a stranger's exception, however long it is."""
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
