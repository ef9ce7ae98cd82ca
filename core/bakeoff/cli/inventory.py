"""What is installed: engines, the servers that they can run on, and what is missing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.engine import EngineInfo, OrchestrationEngine
from bakeoff.errors import EngineUnavailableError, UsageError
from bakeoff.plugins import Plugins, in_a_line
from bakeoff.processes.scratch import temporary_folder
from bakeoff.servers import NatsServer, PostgresServer, Server
from bakeoff.servers.postgres import postgres_install
from bakeoff.settings import ConfigClass, SettingsInForce, resolve
from bakeoff.world.database import open_database


@dataclass(frozen=True, slots=True)
class Installed:
    """One engine that an entry point names.

    Attributes:
        name: Its ``--engine`` name.
        engine, info: ``None`` if it cannot be loaded.
        problem: Why not, with the installing command.
    """

    name: str
    engine: OrchestrationEngine | None = None
    info: EngineInfo | None = None
    problem: str | None = None


def installed_engines(plugins: Plugins) -> list[Installed]:
    """Every engine by name, those that cannot be loaded with the reason."""
    found = []
    for name in plugins.engine_names():
        try:
            engine = plugins.engine(name)
            settings = resolve(name, engine.info().settings, ConfigClass.RECOMMENDED)
            found.append(Installed(name, engine, engine.info(settings)))
        except EngineUnavailableError as error:
            found.append(Installed(name, problem=str(error)))
        except Exception as error:  # a stranger's info() may fail for these settings only
            found.append(Installed(name, problem=f"engine {name!r} cannot be used: {in_a_line(error)}"))
    return found


def needed_servers(engine: OrchestrationEngine) -> set[str]:
    """Kinds of the servers without which the engine cannot start as it stands."""
    settings = resolve(engine.name, engine.info().settings, ConfigClass.RECOMMENDED)
    return {server.kind for server in engine.servers(settings)}


def server_variants(engine: OrchestrationEngine) -> Mapping[str, Server]:
    """``{kind: server}`` of every server that any choice among the engine's settings would need."""
    kinds: dict[str, Server] = {}
    for settings in _variants(engine):
        for server in engine.servers(settings):
            kinds.setdefault(server.kind, server)
    return kinds


def _variants(engine: OrchestrationEngine) -> Iterator[SettingsInForce]:
    declared = engine.info().settings
    as_it_stands = resolve(engine.name, declared, ConfigClass.RECOMMENDED)
    yield as_it_stands
    for setting in filter(lambda one: as_it_stands.applies(one.name), declared):
        for choice in setting.choices:
            yield resolve(
                engine.name, declared, ConfigClass.RECOMMENDED, overrides={setting.name: str(choice)}
            )


def missing_program(server: Server) -> str | None:
    """Why this server cannot be started here, with the installing command; ``None`` if it is installed."""
    try:
        if isinstance(server, PostgresServer):
            postgres_install()  # preparing its folder would already initialise a cluster
            open_database("postgresql://127.0.0.1/postgres").dispose()
            return None
        with tempfile.TemporaryDirectory(dir=temporary_folder()) as folder:
            server.launch(Path(folder), dict.fromkeys(server.port_names, 1))
    except UsageError as error:
        return str(error)
    return None


def servers_by_kind(engines: Sequence[Installed]) -> dict[str, tuple[Server, list[str]]]:
    """``{kind: (server, names of the engines that can use it)}``, those of ledger and bridge included."""
    kinds: dict[str, tuple[Server, list[str]]] = {}
    for one in engines:
        for kind, server in (server_variants(one.engine) if one.engine else {}).items():
            kinds.setdefault(kind, (server, []))[1].append(one.name)
    kinds.setdefault("postgresql", (PostgresServer(), []))[1].append("--ledger postgres")
    kinds.setdefault("nats", (NatsServer(), []))[1].append("--bridge nats")
    return kinds
