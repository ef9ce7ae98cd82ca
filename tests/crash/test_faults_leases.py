"""An engine says how long a call stays with a worker that has fallen silent, under the settings in force."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve

DEFAULT, RECOMMENDED = ConfigClass.DEFAULT, ConfigClass.RECOMMENDED
RABBITMQ = {"broker": "rabbitmq"}
LATE = {"task_acks_late": "true"}


@pytest.mark.parametrize(
    ("engine", "config", "overrides", "raw", "lease_s"),
    [
        pytest.param("celery", DEFAULT, {}, {}, math.inf, id="acknowledged before it runs"),
        pytest.param("celery", DEFAULT, LATE, {}, 3600 + 300 + 10 * 10, id="and somebody must look"),
        pytest.param("celery", RECOMMENDED, {}, {}, 60 + 10 + 1, id="celery, recommended"),
        pytest.param("celery", RECOMMENDED, {"visibility_timeout": "5"}, {}, 5 + 10 + 1, id="as it was set"),
        pytest.param("celery", RECOMMENDED, RABBITMQ, {}, 180, id="RabbitMQ proposes less than Celery"),
        pytest.param("celery", RECOMMENDED, RABBITMQ, {"broker_heartbeat": "5"}, 15, id="Celery's own"),
        pytest.param("celery", RECOMMENDED, RABBITMQ, {"broker_heartbeat": "0"}, 1800, id="no heartbeat"),
        pytest.param("celery", RECOMMENDED, RABBITMQ, {"broker_heartbeat": "soon"}, 180, id="no number"),
        pytest.param("dramatiq", RECOMMENDED, {}, {}, 60, id="dramatiq, recommended"),
        pytest.param("dramatiq", RECOMMENDED, {"heartbeat_timeout_s": "3"}, {}, 3, id="heartbeats"),
        pytest.param("dramatiq", RECOMMENDED, RABBITMQ, {}, 180, id="pika takes what RabbitMQ proposes"),
        pytest.param("temporal", RECOMMENDED, {}, {}, None, id="the step's own timeout"),
        pytest.param("inline", RECOMMENDED, {}, {}, None, id="no engine"),
    ],
)
def test_the_lease_in_force(
    engine: str,
    config: ConfigClass,
    overrides: Mapping[str, str],
    raw: Mapping[str, str],
    lease_s: float | None,
) -> None:
    found = Plugins().engine(engine)
    settings = resolve(engine, found.info().settings, config, overrides, raw)

    assert found.info(settings).lease_s == lease_s
