"""How clients and workers reach the server, and what the things that we create there are called."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from temporalio.client import Client, Interceptor
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, TLSConfig

from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.deployment import Deployment
from bakeoff.errors import UsageError
from bakeoff.settings import SettingsInForce
from bakeoff_temporal.headers import CarryHeaders

#: Role of the server in ``Deployment.addresses``.
ROLE: Final = "temporal"
#: Seconds before an event loop may close: the SDK's own threads still deliver answers into it, and a
#: process that ends meanwhile dies of SIGABRT or SIGSEGV (temporalio/sdk-python#300, open with 1.35).
DRAIN_S: Final = 0.2


def task_queue(deployment: Deployment) -> str:
    """Name of the queue that clients and workers of one deployment share."""
    return f"{deployment.prefix}bakeoff"


async def connect(deployment: Deployment) -> Client:
    """A client of the deployment's server; ``UsageError`` if nobody answers there."""
    address = deployment.addresses[ROLE]
    try:
        return await connect_to(address, deployment.settings, _interceptors(deployment))
    except (RuntimeError, ValueError, RPCError) as error:
        await asyncio.sleep(DRAIN_S)
        reason = without_credentials(_said(error), address, str(deployment.settings["api_key"] or ""))
        shown = hide_credentials(address)
        raise UsageError(f"no Temporal server answers at {shown} ({reason}); is it up?") from error


def _said(error: Exception) -> str:
    return (error.message if isinstance(error, RPCError) else str(error)) or type(error).__name__


def _interceptors(deployment: Deployment) -> Sequence[Interceptor]:
    """Workers inherit them from their client."""
    return [CarryHeaders()] if deployment.otlp is not None else []


async def connect_to(
    address: str, settings: SettingsInForce, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """A client of the server at ``address``; raises the SDK's ``RuntimeError`` while nobody answers there."""
    return await Client.connect(
        address,
        runtime=_runtime(),
        namespace=settings["namespace"],
        api_key=(settings["api_key"] or None) if settings.applies("api_key") else None,
        tls=tls_of(settings),
        interceptors=interceptors,
    )


@cache
def _runtime() -> Runtime:
    """The SDK's threads, one set per process; they log to standard output, where people read results."""
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
        )
    )


def tls_of(settings: SettingsInForce) -> TLSConfig | bool:
    """TLS as the settings want it; ``UsageError`` for a certificate file that cannot be read.

    A server that we start speaks none, whatever is exported for one of the user's own.
    """
    if not settings.applies("tls"):
        return False
    files = {name: settings[name] for name in ("tls_ca", "tls_cert", "tls_key")}
    if bool(files["tls_cert"]) != bool(files["tls_key"]):
        raise UsageError("temporal.tls_cert and temporal.tls_key belong together; set both or none")
    if not any(files.values()):
        return bool(settings["tls"] or settings["api_key"])
    try:
        read = {name: Path(path).read_bytes() if path else None for name, path in files.items()}
    except OSError as error:
        raise UsageError(f"temporal TLS: cannot read {error.filename}: {error.strerror}") from error
    return TLSConfig(
        server_root_ca_cert=read["tls_ca"], client_cert=read["tls_cert"], client_private_key=read["tls_key"]
    )
