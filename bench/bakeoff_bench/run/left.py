"""What is left of a deployment when its run is over: servers of the user's own, with our names on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.deployment import Deployment
from bakeoff.engine import ShowsSagas
from bakeoff.errors import BakeoffError
from bakeoff.outcome import Page
from bakeoff.patience import page_of
from bakeoff.plugins import Plugins
from bakeoff.processes import run_interruptibly
from bakeoff.settings import ConfigClass, SettingsInForce
from bakeoff_bench.run import stored

#: Where the manifest has it.
LEFT = "left"


def left_of(deployment: Deployment) -> dict[str, Any]:
    """For the manifest; no address, which may hold credentials."""
    return {"prefix": deployment.prefix, "external": list(deployment.external)}


def page_left(engine: str, about: Mapping[str, Any], workflow_id: str) -> Page | None:
    """The page of a stored run's saga in the engine's own web UI.

    Args:
        engine: Name, or a label that begins with it.
        about: What the manifest says of it.
        workflow_id: The saga.

    Returns:
        ``None`` if the engine has no such thing or is not installed, or the run is of a time when it was not
        written down what is left.
    """
    if LEFT not in about:
        return None
    stored.check(f"what is left of {engine}", about[LEFT], {"prefix": str, "external": list})
    try:
        plugin = Plugins().engine(engine.partition("[")[0])
    except BakeoffError:
        return None
    if not isinstance(plugin, ShowsSagas):
        return None  # without an event loop: a report may be made inside one
    deployment = Deployment(
        engine=plugin.name,
        settings=SettingsInForce(ConfigClass(about["config_class"]), about["settings"]),
        addresses={},
        world_url="",
        prefix=about[LEFT]["prefix"],
        external=tuple(about[LEFT]["external"]),
    )
    return run_interruptibly(page_of(plugin, deployment, workflow_id))
