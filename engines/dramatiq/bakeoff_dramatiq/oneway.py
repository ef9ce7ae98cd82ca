"""Notes to Valkey that nobody waits for: they cost a tenth of a command with an answer.

A note that was sent survives the kill of its sender, because the kernel delivers it. It is lost only if the
server dies in the same moment; what is noted here may be missing then, at the price of a repeated message.
"""

from __future__ import annotations

import threading
from typing import Any

import redis


class OneWay:
    """One connection on which the server answers nothing; safe to share between threads."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._lock = threading.Lock()
        self._connection: Any = None

    def send(self, *words: str | bytes | int) -> None:
        """Send one command.

        Raises:
            redis.ConnectionError: If the server cannot be reached.
        """
        with self._lock:
            if self._connection is not None:
                try:
                    self._write(self._connection, *words)
                    return
                except redis.ConnectionError:
                    # The server was restarted since; a new connection tells whether it is back.
                    self._drop()
            self._connection = self._pool.make_connection()
            self._connection.connect()
            self._write(self._connection, "CLIENT", "REPLY", "OFF")
            self._write(self._connection, *words)

    @staticmethod
    def _write(connection: Any, *words: str | bytes | int) -> None:
        connection.send_packed_command(connection.pack_command(*words), check_health=False)

    def close(self) -> None:
        """Close the connection; a later ``send`` opens another one."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None
