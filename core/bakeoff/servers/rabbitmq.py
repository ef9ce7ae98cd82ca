"""RabbitMQ from the distribution, run as our own unprivileged child."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from bakeoff.errors import EngineUnavailableError
from bakeoff.processes import Launch
from bakeoff.servers.own import RefusedError

#: What RabbitMQ proposes to its clients as it ships.
_HEARTBEAT_S = 60.0

_INSTALL = "install it with your distribution, e.g. apt-get install rabbitmq-server"


@dataclass(slots=True)
class RabbitmqServer:
    """One node with its own epmd, data, cookie and ports, all on the loopback interface."""

    role: str = "broker"
    external_address: str | None = None
    kind: str = "rabbitmq"
    port_names: tuple[str, ...] = ("amqp", "distribution", "epmd")
    ready_within_s: float = 90.0  # 7 s where nothing else runs

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """Write the configuration and start epmd first, because a node that finds none leaves one behind."""
        program, epmd = rabbitmq_programs()
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{ports['amqp']}\n"
            "log.console = true\nlog.console.level = warning\nlog.file = false\n"
            "vm_memory_high_watermark.absolute = 512MB\ndisk_free_limit.absolute = 50MB\n"
        )
        (folder / "rabbitmq-env.conf").write_text("")
        (folder / "enabled_plugins").write_text("[].\n")
        env = {
            "HOME": str(folder),
            # The VM becomes our child itself; otherwise a shell stays around it and dies alone.
            "RUNNING_UNDER_SYSTEMD": "1",
            "RABBITMQ_NODENAME": f"bakeoff{ports['amqp']}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(ports["distribution"]),
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        beside = Launch(argv=[epmd, "-address", "127.0.0.1", "-port", str(ports["epmd"])], stop_within_s=2)
        # An orderly stop takes it five seconds, for the sake of data that are thrown away right afterwards.
        return Launch(argv=[program], env=env, companions=(beside,), stop_within_s=0)

    def preferred_ports(self) -> Mapping[str, int]:
        """Any port will do."""
        return {}

    def address(self, ports: Mapping[str, int]) -> str:
        """An ``amqp://`` URL of the default user, who may only connect from this machine."""
        return f"amqp://guest:guest@127.0.0.1:{ports['amqp']}//"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """None: the management plug-in doubles the boot time."""
        return {}

    @staticmethod
    def silence_s(heartbeat_s: float | None) -> float:
        """Seconds until it closes the connection of a client that has fallen silent, at the most.

        Args:
            heartbeat_s: Interval that the client proposes; the shorter of both proposals counts. ``None``:
                it proposes none.

        Source: ``rabbit_heartbeat``: a connection ends after two checks without traffic, an interval apart;
        the first of them may come up to an interval after the last traffic.
        """
        return 3 * min(_HEARTBEAT_S, heartbeat_s or _HEARTBEAT_S)

    async def probe(self, address: str) -> str:
        """Log in as AMQP 0-9-1 demands it, and open the virtual host."""
        url = urlsplit(address)
        tls = url.scheme == "amqps"
        port = url.port or (5671 if tls else 5672)
        reader, writer = await asyncio.open_connection(url.hostname, port, ssl=tls)
        try:
            writer.write(b"AMQP\x00\x00\x09\x01")
            method, start = await _frame(reader)
            if method != (10, 10):
                raise ConnectionError(f"unexpected AMQP method {method}")
            user, password = unquote(url.username or "guest"), unquote(url.password or "guest")
            writer.write(_start_ok(user, password))
            tune = await _tuned(reader)
            writer.write(_method(31, tune[:-2] + b"\0\0") + _method(40, _short(_host_of(url)) + b"\0\0"))
            method, answer = await _frame(reader)
            if method != (10, 41):
                raise RefusedError(answer[3 : 3 + answer[2]].decode(errors="replace"))
            writer.write(_method(50, (200).to_bytes(2, "big") + b"\0" * 5))
        finally:
            writer.close()
        version = re.search(rb"versionS....([0-9.]+)", start, re.DOTALL)
        return version.group(1).decode() if version else "unknown"


async def _frame(reader: asyncio.StreamReader) -> tuple[tuple[int, int], bytes]:
    """Read one method frame; return its class and method ids and its arguments."""
    header = await reader.readexactly(7)
    payload = await reader.readexactly(int.from_bytes(header[3:7], "big") + 1)
    ids = int.from_bytes(payload[0:2], "big"), int.from_bytes(payload[2:4], "big")
    return ids, payload[4:-1]


async def _tuned(reader: asyncio.StreamReader) -> bytes:
    """Arguments of ``connection.tune``; whoever is refused finds the connection closed instead."""
    try:
        method, tune = await _frame(reader)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        method, tune = (0, 0), b""
    if method != (10, 30):
        raise RefusedError("RabbitMQ refused user name or password")
    return tune


def _host_of(url: SplitResult) -> str:
    """The virtual host as Kombu and pika read it: what follows the slash, ``/`` if nothing does."""
    return unquote(url.path[1:]) or "/"


def _short(text: str) -> bytes:
    return len(text.encode()).to_bytes(1, "big") + text.encode()


def _method(number: int, arguments: bytes) -> bytes:
    """A frame with a method of class ``connection``."""
    payload = (10).to_bytes(2, "big") + number.to_bytes(2, "big") + arguments
    return b"\x01\x00\x00" + len(payload).to_bytes(4, "big") + payload + b"\xce"


def _start_ok(user: str, password: str) -> bytes:
    """The frame ``connection.start-ok`` with mechanism PLAIN and no client properties."""
    response = f"\0{user}\0{password}".encode()
    secret = len(response).to_bytes(4, "big") + response
    return _method(11, (0).to_bytes(4, "big") + _short("PLAIN") + secret + _short("en_US"))


def rabbitmq_programs() -> tuple[str, str]:
    """Paths of the node's own start script and of epmd.

    The script on the PATH insists on a system user; the one inside the library folder does not.

    Raises:
        EngineUnavailableError: If either is missing.
    """
    folders = [
        Path("/usr/lib/rabbitmq/lib"),
        Path("/opt/homebrew/opt/rabbitmq"),
        Path("/usr/local/opt/rabbitmq"),
    ]
    if "RABBITMQ_HOME" in os.environ:
        folders.insert(0, Path(os.environ["RABBITMQ_HOME"]))
    for folder in folders:
        scripts = sorted([*folder.glob("*/sbin/rabbitmq-server"), *folder.glob("sbin/rabbitmq-server")])
        if scripts:
            break
    else:
        raise EngineUnavailableError(f"rabbitmq-server is missing: {_INSTALL}")
    epmds = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    epmd = str(epmds[-1]) if epmds else shutil.which("epmd")
    if epmd is None:
        raise EngineUnavailableError(f"Erlang's epmd is missing: {_INSTALL}")
    return str(scripts[-1]), epmd
