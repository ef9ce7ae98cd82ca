"""What a client says when the log does not answer."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bakeoff.deployment import Deployment
from bakeoff.errors import ServerAwayError
from bakeoff.servers import server_away
from bakeoff_celery.sagalog.place import FILE


def log_away(deployment: Deployment, error: SQLAlchemyError) -> ServerAwayError:
    """The error that names the log and the driver's reason, without statement and parameters."""
    reason = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if "log" in deployment.addresses:
        return server_away(deployment, "log", reason)
    words = " ".join(str(reason).split()) or type(reason).__name__
    return ServerAwayError(f"the saga log of {deployment.engine} ({FILE}) cannot be used ({words})")
