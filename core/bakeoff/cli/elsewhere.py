"""The deployment as a worker on another machine sees it: addresses, a shared ledger, a prefix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack

from bakeoff.cli.options import BUILT_IN_SAGAS, ChosenEngine, check_ledger, choose_engines, choose_saga
from bakeoff.cli.up import check_prefix
from bakeoff.deployment import Deployment
from bakeoff.errors import UsageError
from bakeoff.processes import Launcher, run_interruptibly, scratch_folder
from bakeoff.servers import Server, start_server
from bakeoff.settings import ConfigClass
from bakeoff.telemetry import Otlp
from bakeoff.world import World

_ROLE = re.compile(r"^([a-z_]+)=(.+)$")


def deployment_elsewhere(
    engine: str | None,
    *,
    config: ConfigClass,
    sets: Sequence[str] | None,
    raws: Sequence[str] | None,
    addresses: Sequence[str],
    ledger: str | None,
    sagas: Sequence[str],
    prefix: str | None,
    otlp: str | None = None,
) -> Deployment:
    """Put together what ``bakeoff up`` runs on another machine; every server of it must answer.

    Args:
        engine: Name of the engine.
        config, sets, raws: As they were given to ``bakeoff up``.
        addresses: Texts of ``--address``: ``ROLE=ADDRESS``, or one address where there is one server.
        ledger: URL of the PostgreSQL that both sides reach.
        sagas: References of the user's own sagas.
        prefix: The one that ``bakeoff up`` printed.
        otlp: Receiver of spans, if ``bakeoff up`` has one.

    Raises:
        UsageError: If something is missing, does not answer, or cannot be shared.
    """
    if not engine:
        raise UsageError("say which engine the worker is for, e.g. --engine temporal")
    chosen = choose_engines([engine], config=config, sets=sets, raws=raws)[0]
    refuse_in_process(chosen)
    if prefix is None:
        raise UsageError(
            "a worker away from `bakeoff up` needs the --prefix that it printed; "
            "beside it, give --engine and --processes only"
        )
    check_prefix(prefix)
    references = dict.fromkeys([BUILT_IN_SAGAS, *(ref for text in sagas for ref in choose_saga(text)[1])])
    database = _ledger_elsewhere(ledger)
    found = _addresses(chosen, addresses)
    return Deployment(
        engine=engine,
        settings=chosen.settings,
        addresses=found,
        world_url=database,
        prefix=prefix,
        sagas=tuple(references),
        external=tuple(found),
        otlp=Otlp(url=otlp, seed=prefix) if otlp else None,
    )


def refuse_in_process(chosen: ChosenEngine) -> None:
    """``UsageError`` for an engine without workers."""
    if chosen.engine.info(chosen.settings).in_process:
        raise UsageError(
            f"{chosen.name} has no workers: its sagas run inside the process that starts them "
            f"(`bakeoff run --engine {chosen.name}`)"
        )


def _ledger_elsewhere(url: str | None) -> str:
    """The database that this machine and the deployment's share."""
    if not url:
        raise UsageError(
            "a worker away from `bakeoff up` needs its ledger: --ledger postgresql://user@host/database"
        )
    if url == "sqlite" or url.startswith("sqlite"):
        raise UsageError(
            "a worker on another machine cannot share a SQLite file; bring the deployment up with "
            "--ledger postgresql://... and give the same URL here"
        )
    if url == "postgres":
        raise UsageError("--ledger postgres starts a database of its own; give the URL of the deployment's")
    check_ledger(url)
    World.open(url).close()
    return url


def _addresses(chosen: ChosenEngine, given: Sequence[str]) -> dict[str, str]:
    """``{role: address}`` of the servers, all of which must answer."""
    servers = {server.role: server for server in chosen.engine.servers(chosen.settings)}
    for text in given:
        named = _ROLE.match(text)
        role, value = named.groups() if named else (next(iter(servers)), text)
        if role not in servers or (named is None and len(servers) > 1):
            raise UsageError(f"--address {text}: write ROLE=ADDRESS; {chosen.name} has {', '.join(servers)}")
        servers[role].external_address = value
    for role, server in servers.items():
        if server.external_address is None:
            raise UsageError(f"{chosen.name} needs its {role} server: --address {role}=ADDRESS")
    return run_interruptibly(_probe(list(servers.values())))


async def _probe(servers: Sequence[Server]) -> dict[str, str]:
    with ExitStack() as cleanup:
        scratch = cleanup.enter_context(scratch_folder("probe"))
        launcher = cleanup.enter_context(Launcher(scratch))
        return {server.role: (await start_server(server, launcher, scratch)).address for server in servers}
