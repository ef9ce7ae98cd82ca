"""The broker of a deployment, with the middleware that the saga needs."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from dramatiq import Broker, Middleware
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.middleware import (
    AgeLimit,
    Callbacks,
    CurrentMessage,
    GroupCallbacks,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
)
from dramatiq.results import Results
from dramatiq.results.backends.redis import RedisBackend

from bakeoff.deployment import Deployment
from bakeoff_dramatiq.barriers import PrefixedBarriers
from bakeoff_dramatiq.connection import redis_client, results_address
from bakeoff_dramatiq.rabbitmq_broker import OwnTagsBroker
from bakeoff_dramatiq.valkey_broker import ValkeyBroker

#: Seconds between two tries to reach RabbitMQ.
RETRY_DELAY_S = 1


def queue_name(deployment: Deployment) -> str:
    """The one queue of the deployment; Dramatiq adds ``.DQ`` (delayed) and ``.XQ`` (dead letters)."""
    return f"{deployment.prefix}sagas"


def make_broker(deployment: Deployment) -> Broker:
    """Build the broker as the settings say; nothing is connected yet.

    ``--set-raw`` values are passed to the broker's constructor.
    """
    url, settings = deployment.addresses["broker"], deployment.settings
    raw: dict[str, Any] = dict(settings.raw)
    if settings["broker"] == "rabbitmq":
        # pika reports every reconnect as an error of its own; Dramatiq reports what could not be done.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        kind = OwnTagsBroker if settings["own_tags"] else RabbitmqBroker
        return kind(
            url=for_pika(url, int(settings["connection_retries"])),
            confirm_delivery=bool(settings["confirm_delivery"]),
            middleware=_middleware(deployment),
            **raw,
        )
    return ValkeyBroker(
        requeue_delayed=bool(settings["requeue_delayed"]),
        reject_unreadable=bool(settings["reject_unreadable"]),
        client=redis_client(url, settings),
        namespace=f"{deployment.prefix}dramatiq",
        heartbeat_timeout=int(settings["heartbeat_timeout_s"] * 1000),
        maintenance_chance=int(settings["maintenance_chance"]),
        dead_message_ttl=int(settings["dead_message_ttl_s"] * 1000),
        middleware=_middleware(deployment),
        **raw,
    )


def _middleware(deployment: Deployment) -> list[Middleware]:
    """Dramatiq's default set and what groups and unknown outcomes need.

    Hooks after an actor run from the last to the first. So the time limit is lifted before anything is
    published (it could strike between the next step's message and the acknowledgement of this one), and a
    group member's result is stored before the group is counted.
    """
    settings = deployment.settings
    results = redis_client(results_address(deployment), settings)
    return [
        AgeLimit(),
        ShutdownNotifications(),
        Callbacks(),
        Pipelines(),
        Retries(),
        GroupCallbacks(PrefixedBarriers(client=results, prefix=f"{deployment.prefix}barrier:")),
        Results(
            backend=RedisBackend(
                client=results, namespace=f"{deployment.prefix}results", use_namespace_prefix_keys=True
            ),
            result_ttl=int(settings["result_ttl_s"] * 1000),
        ),
        CurrentMessage(),
        TimeLimit(interval=int(settings["time_limit_interval_ms"])),
    ]


def for_pika(url: str, retries: int) -> str:
    """Let pika try again while RabbitMQ is away, and spell the virtual host ``/`` as it wants it.

    What the URL itself says about attempts stays in force.
    """
    parts = urlsplit(url)
    if parts.path == "//":
        parts = parts._replace(path="/%2F")
    if retries and "connection_attempts" not in parts.query:
        patience = f"connection_attempts={retries + 1}&retry_delay={RETRY_DELAY_S}"
        parts = parts._replace(query="&".join(filter(None, (parts.query, patience))))
    return urlunsplit(parts)
