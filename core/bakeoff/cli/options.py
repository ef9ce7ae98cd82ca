"""Options that several commands share: their types, and what becomes of their texts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlalchemy import inspect, select
from sqlalchemy.exc import SQLAlchemyError

from bakeoff.cli.screen import warn
from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.engine import OrchestrationEngine
from bakeoff.errors import EngineUnavailableError, UnknownNameError, UsageError
from bakeoff.plugins import Plugins, check_engine, in_a_line
from bakeoff.registry import find_saga, load_sagas
from bakeoff.saga import Saga
from bakeoff.servers.postgres import postgres_install
from bakeoff.settings import ConfigClass, SettingsInForce, resolve
from bakeoff.sharing import check_slots
from bakeoff.telemetry import check_otlp, is_listened_to
from bakeoff.tuned import read_tuned
from bakeoff.world import schema
from bakeoff.world.database import open_database

_CONNECT_TIMEOUT_S = 5
#: Variables of OpenTelemetry's by which a process goes to another receiver than it is told.
_OTLP_ELSEWHERE = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

#: Where the sagas come from that every deployment knows.
BUILT_IN_SAGAS = "bakeoff.orders"
#: ... and of bakeoff's own that are no order; loaded where one of them is asked for.
BUSINESS_SAGAS = "bakeoff.business"

EngineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine", "-e", metavar="NAME", help="Engine; repeat for several, `all` for all installed."
    ),
]
ConfigOption = Annotated[
    ConfigClass,
    typer.Option(
        "--config",
        help="Settings as shipped, leases by each engine's own guidance, what `bakeoff tune` found, or short "
        "leases (tests).",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="ENGINE.NAME=VALUE",
        help="Override a declared setting, e.g. celery.visibility_timeout=30; `bakeoff engines` lists them.",
    ),
]
SetRawOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set-raw", metavar="ENGINE.KEY=VALUE", help="Pass a setting of the engine's own through, unchecked."
    ),
]
LedgerOption = Annotated[
    str,
    typer.Option(
        "--ledger",
        metavar="sqlite|postgres|URL",
        help="Database of the services and the ledger: a file, a PostgreSQL started for you, or your own.",
        envvar="BAKEOFF_LEDGER",
        show_envvar=True,
    ),
]
BridgeOption = Annotated[
    str,
    typer.Option(
        "--bridge",
        metavar="in-process|nats|URL",
        help="Between steps and services: function calls, messages over a NATS started for you, or your own.",
        envvar="BAKEOFF_BRIDGE",
        show_envvar=True,
    ),
]
OtlpOption = Annotated[
    str | None,
    typer.Option(
        "--otlp",
        metavar="URL",
        help="Export every saga as a trace to this OTLP/HTTP receiver, e.g. http://127.0.0.1:4318.",
        envvar="BAKEOFF_OTLP",
        show_envvar=True,
    ),
]
SagaOption = Annotated[
    str,
    typer.Option(
        "--saga", metavar="NAME", help="A saga of bakeoff, or your own as package.module:attribute."
    ),
]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, max=256, help="Workers of each engine.")]
SlotsOption = Annotated[
    int, typer.Option("--slots", min=1, max=1024, help="Steps that one worker runs at once.")
]


@dataclass(frozen=True, slots=True)
class ChosenEngine:
    """An engine that was asked for, with the settings in force."""

    engine: OrchestrationEngine
    settings: SettingsInForce

    @property
    def name(self) -> str:
        """Its ``--engine`` name."""
        return self.engine.name


def choose_receiver(text: str | None) -> str | None:
    """What ``--otlp`` says, and a warning if nobody listens there: spans are dropped until somebody does.

    Raises:
        UsageError, EngineUnavailableError: As ``check_otlp``.
    """
    receiver = check_otlp(text)
    elsewhere = any(os.environ.get(name) for name in _OTLP_ELSEWHERE)
    if receiver is not None and not elsewhere and not is_listened_to(receiver):
        warn(f"--otlp {receiver}: nobody listens there; spans are lost until a receiver does")
    return receiver


def choose_engines(
    names: Sequence[str] | None,
    *,
    config: ConfigClass = ConfigClass.RECOMMENDED,
    sets: Sequence[str] | None = None,
    raws: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    plugins: Plugins | None = None,
) -> list[ChosenEngine]:
    """Turn ``--engine``, ``--config``, ``--set`` and ``--set-raw`` into engines with settings.

    Args:
        names: As given; ``None``, nothing or ``all`` means every installed engine that can be loaded (the
            others are named in a warning). An engine asked for by name must be there.
        config: Configuration class.
        sets, raws: Texts of ``--set`` and ``--set-raw``.
        environ: Environment variables; the process's own if ``None``.
        plugins: Where engines come from; what is installed if ``None``.

    Raises:
        UsageError: For an unknown engine, setting or value, a setting of an engine that is not in use.
        EngineUnavailableError: If an engine asked for by name cannot be loaded, or none is left.
    """
    plugins = plugins or Plugins()
    environ = os.environ if environ is None else environ
    tuned = read_tuned(environ) if config is ConfigClass.TUNED else None
    installed = plugins.engine_names()
    overrides = {
        option: _by_engine(option, texts or ()) for option, texts in (("--set", sets), ("--set-raw", raws))
    }
    wanted, lenient = _wanted(names or (), installed)
    for option, by_engine in overrides.items():
        for name in by_engine:
            _check_in_use(option, name, wanted, installed)
    chosen: list[ChosenEngine] = []
    for name in wanted:
        try:
            engine = plugins.engine(name)
        except EngineUnavailableError as error:
            if not lenient or any(name in by_engine for by_engine in overrides.values()):
                raise
            warn(f"left out: {error}")
            continue
        found: Mapping[str, str] = {}
        if tuned is not None:
            if lenient and not tuned.knows(name, engine.info().settings):
                warn(f"left out: {tuned.where} says nothing about {name}")
                continue
            found = tuned.of(name, engine.info().settings)
        settings = resolve(
            name,
            engine.info().settings,
            config,
            overrides=overrides["--set"].get(name),
            raw=overrides["--set-raw"].get(name),
            environ=environ,
            tuned=found,
        )
        try:
            check_engine(engine, settings)
        except Exception as error:  # a stranger's info() may fail for these settings only
            if not lenient or any(name in by_engine for by_engine in overrides.values()):
                raise EngineUnavailableError(f"engine {name!r} cannot be used: {in_a_line(error)}") from error
            warn(f"left out: engine {name!r} cannot be used: {in_a_line(error)}")
            continue
        chosen.append(ChosenEngine(engine, settings))
    if not chosen:
        raise EngineUnavailableError("no engine can be loaded; `bakeoff engines` tells what is missing")
    return chosen


def check_slots_of(chosen: Sequence[ChosenEngine], slots: int) -> None:
    """``UsageError`` if the processes of one of these engines cannot share ``--slots``."""
    for one in chosen:
        check_slots(one.name, one.engine.info(one.settings).settings, one.settings, slots)


def _wanted(names: Sequence[str], installed: Sequence[str]) -> tuple[list[str], bool]:
    """Names to load in the order given, and whether one that cannot be loaded is only worth a warning."""
    if not names or "all" in names:
        return list(installed), True
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in installed:
            raise _unknown_engine(f"engine {name!r} is not installed", name, installed)
    return wanted, False


def _unknown_engine(problem: str, name: str, installed: Sequence[str]) -> UnknownNameError:
    close = difflib.get_close_matches(name, installed, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return UnknownNameError(f"{problem}; installed: {', '.join(installed)}.{hint}")


def _check_in_use(option: str, name: str, wanted: Sequence[str], installed: Sequence[str]) -> None:
    if name not in installed:
        raise _unknown_engine(f"{option} {name}...: no engine {name!r} is installed", name, installed)
    if name not in wanted:
        raise UsageError(
            f"{option} {name}...: {name} is not in use here ({', '.join(wanted)} is); add --engine {name}"
        )


def _by_engine(option: str, texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """``{engine: {key: text}}``; a later text of the same key wins."""
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        engine, dot, key = left.strip().partition(".")
        if not (equals and dot and engine and key):
            raise UsageError(f"{option} {text}: write {option} ENGINE.NAME=VALUE, e.g. {_EXAMPLES[option]}")
        found.setdefault(engine, {})[key] = value
    return found


_EXAMPLES = {"--set": "celery.visibility_timeout=30", "--set-raw": "celery.worker_max_tasks_per_child=100"}


def choose_saga(text: str) -> tuple[Saga, tuple[str, ...]]:
    """Return the saga that ``--saga`` names, and the references that workers must load for it.

    Raises:
        UsageError: If nobody knows it, its module cannot be imported or holds several sagas.
    """
    if ":" not in text and "." not in text:
        orders = load_sagas([BUILT_IN_SAGAS])
        if text in orders:
            return orders[text], (BUILT_IN_SAGAS,)
        references = (BUILT_IN_SAGAS, BUSINESS_SAGAS)
        return find_saga(text, load_sagas(references)), references
    sagas = load_sagas([text])
    if len(sagas) != 1:
        listed = ", ".join(sorted(sagas)) or "none"
        raise UsageError(f"--saga {text}: give one saga as {text}:ATTRIBUTE; sagas in there: {listed}")
    references = (BUILT_IN_SAGAS, text)
    load_sagas(references)  # refuses a saga that is called like one of ours
    return next(iter(sagas.values())), references


def check_ledger(text: str) -> str:
    """Return ``--ledger`` if it can be used, before anything is started; a URL's server must answer.

    Raises:
        UsageError: If it is neither ``sqlite``, ``postgres`` nor a database URL that we can serve.
        EngineUnavailableError: If PostgreSQL or its driver is not installed.
    """
    if text == "sqlite":
        return text
    if text == "postgres":
        postgres_install()
        open_database("postgresql://127.0.0.1/postgres").dispose()
        return text
    if "://" not in text:
        raise UsageError(
            f"--ledger {text}: give sqlite, postgres, or a URL like postgresql://user@host/database"
        )
    _check_reachable(text)
    return text


def check_ledger_is_empty(text: str) -> None:
    """Find out before any server is started that ``--ledger URL`` is used already.

    Raises:
        UsageError: If it holds a ledger, or does not answer.
    """
    if "://" not in text or text.startswith("sqlite"):
        return
    database = open_database(text)
    try:
        with database.connect() as connection:
            used = (
                inspect(connection).has_table(schema.meta.name)
                and connection.execute(select(schema.meta.c.name)).first()
            )
    except SQLAlchemyError as error:
        raise UsageError(f"--ledger {hide_credentials(text)}: cannot be read") from error
    finally:
        database.dispose()
    if used:
        raise UsageError(
            f"--ledger {hide_credentials(text)}: it holds a ledger already; give an empty database"
        )


def _check_reachable(url: str) -> None:
    database = open_database(url)
    shown = hide_credentials(url)
    if database.url.get_backend_name() == "sqlite":
        database.dispose()
        return
    impatient = database.url.update_query_dict({"connect_timeout": str(_CONNECT_TIMEOUT_S)})
    patient, database = database, open_database(impatient.render_as_string(hide_password=False))
    patient.dispose()
    try:
        database.connect().close()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise UsageError(
            f"--ledger {shown}: no database answers there ({without_credentials(reason, url)})"
        ) from error
    finally:
        database.dispose()
