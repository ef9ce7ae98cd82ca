"""Where the saga log lives: a SQLite file in the deployment's folder, or a PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.schema import CreateSchema

from bakeoff.deployment import Deployment
from bakeoff.errors import UsageError
from bakeoff.world.database import file_url, open_database, writing
from bakeoff_celery.sagalog.tables import metadata

FILE = "sagalog.db"
#: Several workers may come up at once; PostgreSQL would let them create the same table side by side.
_CREATION_LOCK = 0x5A6A106


def open_log(deployment: Deployment) -> Engine:
    """Return an engine of the log's database; nothing connects before it is used.

    On a PostgreSQL that is not ours everything is in a schema of the deployment's own.

    Raises:
        UsageError: If the log is a file that this process cannot know.
    """
    check_place(deployment)
    if deployment.settings["log"] == "sqlite":
        return open_database(file_url(Path(deployment.folder) / FILE))
    engine = open_database(deployment.addresses["log"])
    return engine.execution_options(schema_translate_map={None: _schema(deployment)})


def files(deployment: Deployment) -> list[Path]:
    """The database and what SQLite lays beside it; nothing where the log is a PostgreSQL."""
    if deployment.settings["log"] != "sqlite":
        return []
    return [Path(deployment.folder) / f"{FILE}{end}" for end in ("", "-wal", "-shm")]


def check_place(deployment: Deployment) -> None:
    """``UsageError`` if the log is a file that this process cannot know."""
    if deployment.settings["log"] == "sqlite" and not deployment.folder:
        raise UsageError(
            "the saga log is a SQLite file on the machine of `bakeoff up`; bring the deployment up with "
            f"--set {deployment.engine}.log=postgres to share it"
        )


def create_tables(deployment: Deployment) -> None:
    """Make the tables, if they are not there, and let go of the database.

    A worker's parent does this before it forks: SQLite must never be open in a process that forks, because
    the child would inherit what it believes about its locks.
    """
    engine = open_log(deployment)
    try:
        with writing(engine) as tx:
            if engine.dialect.name == "postgresql":
                tx.execute(text(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})"))
                if schema := _schema(deployment):
                    tx.execute(CreateSchema(schema, if_not_exists=True))
            metadata.create_all(tx)
    finally:
        engine.dispose()


def _schema(deployment: Deployment) -> str | None:
    return f"{deployment.prefix}sagalog" if deployment.prefix else None
