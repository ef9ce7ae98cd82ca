"""A server without TLS behind one that speaks it, with a certificate of an authority of its own."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_DAYS = "2"


@dataclass(frozen=True)
class Certificate:
    """Of ``localhost``, with its key and who vouches for it (PEM files)."""

    authority: Path
    certificate: Path
    key: Path


def certified(folder: Path) -> Certificate:
    """Make one, by ``openssl``."""
    made = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority_key, request, extension = folder / "ca.key", folder / "server.csr", folder / "extension"
    extension.write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
    new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes")
    for command in (
        [
            *new,
            "-x509",
            "-keyout",
            authority_key,
            "-out",
            made.authority,
            "-days",
            _DAYS,
            "-subj",
            "/CN=ours",
        ],
        [*new, "-keyout", made.key, "-out", request, "-subj", "/CN=localhost"],
        [
            *("openssl", "x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", authority_key),
            *("-CAcreateserial", "-days", _DAYS, "-extfile", extension, "-out", made.certificate),
        ],
    ):
        subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60)
    return made


@contextmanager
def terminated(port: int, certificate: Certificate) -> Iterator[int]:
    """Listen with TLS in a thread and pass everything on to ``port``; the new port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.set_alpn_protocols(["h2"])
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copied(reader, there[1]), _copied(there[0], writer))

    async def listening() -> asyncio.Server:
        return await asyncio.start_server(passed_on, "127.0.0.1", 0, ssl=context)

    async def over(server: asyncio.Server) -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(listening(), loop).result(10)
        yield int(server.sockets[0].getsockname()[1])
        asyncio.run_coroutine_threadsafe(over(server), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass  # the other side has gone
    finally:
        writer.close()
