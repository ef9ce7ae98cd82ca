"""The record that ties client, workers and servers of one engine together."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.settings import SettingsInForce
from bakeoff.telemetry.switch import Otlp

#: Environment variable that holds the path of the deployment file in every worker process.
DEPLOYMENT_VARIABLE = "BAKEOFF_DEPLOYMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Everything that a client or a worker of one engine must know; JSON in a file of mode 0600.

    Attributes:
        engine: Name of the engine.
        settings: What is in force.
        addresses: ``{server role: address}``, e.g. ``{"broker": "redis://127.0.0.1:6400/0"}``.
        world_url: SQLAlchemy URL of the service database with the ledger.
        prefix: Put before every name that the engine creates (queues, namespaces, keys, native ids);
            empty on servers of our own, where nothing else lives.
        sagas: References ``package.module`` or ``package.module:attribute`` that workers load.
        slots: Steps that one process which the harness starts runs at once; a worker may be several such
            processes (setting ``worker_processes``), which share the slots that ``--slots`` gives to it.
        external: Roles of the servers that we did not start: nothing is purged, flushed or killed there.
        bridge: Between steps and services (``bakeoff.bridge.bridges``).
        bridge_prefix: Before every subject there; on a server that is not ours no other deployment has it.
        pages: ``{title: URL}`` of the web pages for people of the servers that we started.
        otlp: Where spans go; ``None``: there are none.
        folder: Where ``bakeoff up`` or the run keeps data; empty for a worker on another machine.
    """

    engine: str
    settings: SettingsInForce
    addresses: Mapping[str, str]
    world_url: str
    prefix: str = ""
    sagas: tuple[str, ...] = ("bakeoff.orders",)
    slots: int = 4
    external: tuple[str, ...] = field(default=())
    bridge: str = "in-process"
    bridge_prefix: str = "purista"
    pages: Mapping[str, str] = field(default_factory=dict)
    otlp: Otlp | None = None
    folder: str = ""

    def native_id(self, workflow_id: str) -> str:
        """The id under which the engine knows this workflow id."""
        return f"{self.prefix}{workflow_id}"

    def save(self, path: Path) -> None:
        """Write it for worker processes; the file may hold credentials, so only the owner reads it."""
        data = asdict(self)
        data["settings"] = self.settings.to_json()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(data, file, indent=2)

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Reverse of ``save``; ``UsageError`` if there is no such file or it is not one of ours."""
        try:
            data: dict[str, Any] = json.loads(path.read_text())
            data["settings"] = SettingsInForce.from_json(data["settings"])
            data["sagas"], data["external"] = tuple(data["sagas"]), tuple(data["external"])
            data["otlp"] = Otlp(**data["otlp"]) if data.get("otlp") else None
            return cls(**data)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{path} is not a deployment file of bakeoff ({error}); run `bakeoff up`"
            ) from error

    @classmethod
    def of_this_process(cls) -> Deployment:
        """The deployment that this worker process was started for."""
        path = os.environ.get(DEPLOYMENT_VARIABLE)
        if not path:
            raise UsageError(
                f"{DEPLOYMENT_VARIABLE} is not set; start workers with `bakeoff worker --engine NAME`"
            )
        return cls.load(Path(path))
