"""What the libraries under Celery raise when a server does not answer, as bakeoff says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from bakeoff.deployment import Deployment
from bakeoff.errors import ServerAwayError
from bakeoff.servers import server_away

#: Of the result backend, of Kombu, of RabbitMQ's own library, of a socket.
SILENCES = (RedisError, OperationalError, AMQPError, OSError)


def away_by(deployment: Deployment, error: BaseException) -> ServerAwayError:
    """Name the server: Kombu wraps what the broker did, the result backend's errors come as they are."""
    at_broker = isinstance(error, OperationalError | AMQPError)
    return server_away(deployment, "broker" if at_broker else "results", error)


@contextmanager
def told(deployment: Deployment) -> Iterator[None]:
    """Turn a server's silence into ``ServerAwayError``."""
    try:
        yield
    except SILENCES as error:
        raise away_by(deployment, error) from error
