"""Servers that the harness can start, probe and stop, or find outside."""

from bakeoff.servers.away import server_away, silence_of
from bakeoff.servers.nats import NatsServer
from bakeoff.servers.own import RefusedError, own_address
from bakeoff.servers.postgres import PostgresServer
from bakeoff.servers.rabbitmq import RabbitmqServer
from bakeoff.servers.server import RunningServer, Server, await_answer, restart_server, start_server
from bakeoff.servers.valkey import ValkeyServer

__all__ = [
    "NatsServer",
    "PostgresServer",
    "RabbitmqServer",
    "RefusedError",
    "RunningServer",
    "Server",
    "ValkeyServer",
    "await_answer",
    "own_address",
    "restart_server",
    "server_away",
    "silence_of",
    "start_server",
]
