"""The process of the proxy: ``python -m bakeoff.proxy.relay CONTROL_PORT PORT=HOST:PORT ...``.

Everything listens on the loopback interface. The control port takes one order per line and answers each with
``ok N``, N being the number of connections that it applied to, or with ``error REASON``:

    connections     how many reach from a worker to its server now
    latency S       every byte needs S seconds longer, each way
    blackhole       bytes vanish, connections stay open
    reset           every connection is reset (RST)
    clear           all is well again; connections that lost bytes are reset
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bakeoff.proxy.link import Link, Network, reset

LOOPBACK = "127.0.0.1"
#: Seconds until a server must have accepted a connection.
_CONNECT_S = 10.0

Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serve(control_port: int, routes: Sequence[tuple[int, str, int]]) -> None:
    """Pass on connections until cancelled.

    Args:
        control_port: Where orders are taken.
        routes: ``(port to listen on, host of the server, its port)``.
    """
    network = Network()
    async with contextlib.AsyncExitStack() as stack:
        for port, host, server_port in routes:
            pass_on = partial(_pass_on, network, host, server_port)
            await stack.enter_async_context(await asyncio.start_server(pass_on, LOOPBACK, port))
        # Last: who is answered may rely on the others.
        control = await asyncio.start_server(partial(_obey, network), LOOPBACK, control_port)
        await stack.enter_async_context(control)
        await control.serve_forever()


async def _pass_on(
    network: Network,
    host: str,
    port: int,
    from_worker: asyncio.StreamReader,
    worker: asyncio.StreamWriter,
) -> None:
    await network.light()  # a connection is not established either while everything vanishes
    try:
        async with asyncio.timeout(_CONNECT_S):
            from_server, server = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        reset(worker)
        return
    await Link(network, worker, server).carry(from_worker, from_server)


async def _obey(network: Network, orders: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while line := await orders.readline():
            answers.write(f"{answer(network, line.decode(errors='replace').split())}\n".encode())
            await answers.drain()
    answers.close()


def answer(network: Network, words: Sequence[str]) -> str:
    """Obey one order and say what came of it."""
    match words:
        case ["connections"]:
            return f"ok {len(network.links)}"
        case ["latency", seconds]:
            try:
                latency_s = float(seconds)
            except ValueError:
                latency_s = math.nan
            if not 0 <= latency_s < math.inf:
                return f"error {seconds} is no number of seconds"
            return f"ok {network.delay(latency_s)}"
        case ["blackhole"]:
            return f"ok {network.darken()}"
        case ["reset"]:
            return f"ok {network.reset()}"
        case ["clear"]:
            return f"ok {network.clear()}"
    return f"error there is no order {' '.join(words)}"


def main(arguments: Sequence[str]) -> None:
    """Serve what the command line names; see the module."""
    routes = []
    for route in arguments[1:]:
        port, _, server = route.partition("=")
        host, _, server_port = server.rpartition(":")
        routes.append((int(port), host, int(server_port)))
    asyncio.run(serve(int(arguments[0]), routes))


if __name__ == "__main__":
    main(sys.argv[1:])
