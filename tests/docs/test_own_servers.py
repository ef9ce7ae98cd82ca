"""docs/own-servers.md, from its first line to its last, on servers that are somebody's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nats
import nats.errors
import pytest
import redis

from bakeoff.errors import EngineUnavailableError
from bakeoff.plugins import Plugins
from bakeoff.processes import Launch, Launcher, free_ports, scratch_folder
from bakeoff.servers import PostgresServer, RabbitmqServer, RunningServer, Server, ValkeyServer, start_server
from bakeoff.servers.nats import nats_binary
from bakeoff.servers.postgres import postgres_install
from bakeoff.servers.rabbitmq import rabbitmq_programs
from bakeoff.settings import ConfigClass, resolve
from bakeoff_temporal.server import TemporalServer
from tests.cli.terminal import Terminal
from tests.docs.tls import certified, terminated
from tests.processes.traces import until
from tests.steady import run_steadily
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]

_PAGE = Path(__file__).parents[2] / "docs" / "own-servers.md"
_PATIENCE_S = 500.0
_PASSWORD = "sesame"


@dataclass(frozen=True)
class Own:
    """The user's servers by role, and Temporal's port behind TLS with the file of its authority."""

    servers: dict[str, RunningServer]
    tls_port: int
    authority: Path

    def port(self, role: str, name: str = "client") -> int:
        """Where it listens."""
        return self.servers[role].ports[name]


@pytest.fixture(scope="module")
def own() -> Iterator[Own]:
    """All four; Valkey wants a password."""
    try:
        rabbitmq_programs()
    except EngineUnavailableError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"not supported here: {missing}")
    temporal = resolve("temporal", Plugins().engine("temporal").info().settings, ConfigClass.CI)
    wanted: list[Server] = [
        *(ValkeyServer("valkey"), RabbitmqServer("rabbitmq"), PostgresServer("postgres")),
        TemporalServer(temporal),
    ]
    with scratch_folder("test") as scratch, Launcher(scratch / "logs") as launcher:
        servers = {one.role: asyncio.run(start_server(one, launcher, scratch)) for one in wanted}
        redis.Redis.from_url(servers["valkey"].address).config_set("requirepass", _PASSWORD)
        certificate = certified(scratch)
        with terminated(servers["temporal"].ports["frontend"], certificate) as port:
            yield Own(servers, port, certificate.authority)


def _script(own: Own) -> str:
    """Every block of the page in its order, with the addresses of ``own``."""
    script = "\n".join(block.split("```")[0] for block in _PAGE.read_text().split("```sh\n")[1:])
    for written, meant in {
        "valkey.example:6379": f"127.0.0.1:{own.port('valkey')}",
        "rabbit.example:5672": f"127.0.0.1:{own.port('rabbitmq', 'amqp')}",
        "postgres.example:5432": f"127.0.0.1:{own.port('postgres')}",
        "temporal.example:7233": f"127.0.0.1:{own.port('temporal', 'frontend')}",
        "REGION.PROVIDER.api.temporal.io:7233": f"localhost:{own.tls_port}",
        "NAMESPACE.ACCOUNT": "bakeoff",
        "amqp://USER:PASSWORD@": "amqp://guest:guest@",
        "-p bakeoff USER": "-p bakeoff guest",
        "postgresql://USER@": "postgresql://postgres@",
        ":PASSWORD@": f":{_PASSWORD}@",
        # Of the contract suite a part, as it runs anyway on every engine.
        '-m "not recovery"': '-m "not recovery" -k test_all_steps_act_once_in_order',
        # On a busy machine a load may come to nothing.
        "--duration 10 --rounds 1": "--duration 10 --rounds 1 || test $? -eq 1",
    }.items():
        assert written in script, written
        script = script.replace(written, meant)
    return script


def _rabbitmqctl(own: Own, folder: Path) -> Path:
    """As on the server's machine, for a node that is not the machine's own."""
    server = own.servers["rabbitmq"]
    home, program = server.folder, Path(rabbitmq_programs()[0]).with_name("rabbitmqctl")
    node = f"bakeoff{own.port('rabbitmq', 'amqp')}@localhost"
    epmd = own.port("rabbitmq", "epmd")
    script = folder / "rabbitmqctl"
    script.write_text(
        f"#!/bin/sh\nexport HOME={home} ERL_EPMD_PORT={epmd}\n"
        f"export RABBITMQ_CONF_ENV_FILE={home}/rabbitmq-env.conf\n"
        f'exec {program} -n {node} "$@"\n'
    )
    script.chmod(0o755)
    return script


@thorough
def test_the_page_works_from_its_first_line_to_its_last(own: Own, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    programs = terminal.folder / "bin"
    programs.mkdir()
    ctl = _rabbitmqctl(own, programs)
    found = os.pathsep.join(map(str, (programs, postgres_install() / "bin")))
    terminal.environ["PATH"] = f"{found}{os.pathsep}{terminal.environ['PATH']}"
    # The authority is ours, and only behind the block with the key there is a server that it vouches for.
    key = "export BAKEOFF_TEMPORAL_API_KEY"
    script = _script(own).replace(key, f"export BAKEOFF_TEMPORAL_TLS_CA={own.authority}\n{key}")
    done = terminal.run(f"set -ex\n{script}", _PATIENCE_S)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.count("verdict: valid") == 5, done.stdout
    assert "unknown" in done.stdout  # what the load cost
    assert _PASSWORD not in done.stdout
    valkey = redis.Redis.from_url(f"redis://:{_PASSWORD}@127.0.0.1:{own.port('valkey')}/5")
    assert valkey.dbsize() == 0
    hosts = subprocess.run([ctl, "list_vhosts", "--silent"], capture_output=True, text=True, timeout=60)
    assert hosts.stdout.split() == ["/"]
    assert [left for left in terminal.leftovers() if not left.startswith("pytest-of-")] == []


def test_a_bridge_over_nats_of_your_own(tmp_path: Path) -> None:
    """With a user and a password; its stream is gone afterwards, and the server is not."""
    lines = [line.strip() for line in _PAGE.read_text().splitlines()]
    export = next(line for line in lines if line.startswith("export BAKEOFF_BRIDGE="))
    run = lines[lines.index(export) + 1]
    assert run.startswith("bakeoff run ")
    assert "nats://USER:PASSWORD@nats.example:4222" in export
    (port,) = free_ports(1)
    config = tmp_path / "nats.conf"
    config.write_text(
        f'listen: 127.0.0.1:{port}\njetstream {{ store_dir: "{tmp_path / "jetstream"}" }}\n'
        f"max_payload: 8MB\nauthorization {{ user: ada, password: {_PASSWORD} }}\n"
    )
    address = f"nats://ada:{_PASSWORD}@127.0.0.1:{port}"
    terminal = Terminal(tmp_path)
    with Launcher(tmp_path / "logs") as launcher:
        launcher.start("nats", Launch(argv=[nats_binary(), "-c", str(config)]))
        until(lambda: _streams(address) == [], "the server answers")
        there = export.replace("nats://USER:PASSWORD@nats.example:4222", address)
        done = run_steadily(terminal, f"{there}\n{run} --count 6 --rounds 1", _PATIENCE_S)

        assert done.returncode == 0, done.stdout + done.stderr
        assert "verdict: valid" in done.stdout
        assert _PASSWORD not in done.stdout + done.stderr
        until(lambda: _streams(address) == [], "its stream is gone")
    assert terminal.leftovers() == []


def _streams(address: str) -> list[str] | None:
    """Names of those on a server; ``None`` if nobody answers."""

    async def asked() -> list[str]:
        client = await nats.connect(address, allow_reconnect=False, connect_timeout=2)
        try:
            return [one.config.name or "" for one in await client.jetstream().streams_info()]
        finally:
            await client.close()

    try:
        return asyncio.run(asked())
    except (OSError, nats.errors.Error):
        return None


def test_the_page_names_every_address_that_an_engine_takes() -> None:
    page = _PAGE.read_text()
    for name in Plugins().engine_names():
        for setting in Plugins().engine(name).info().settings:
            if setting.env:
                assert setting.env in page or setting.env.removeprefix("BAKEOFF_TEMPORAL") in page, (
                    setting.env
                )
