"""Free ports are free, different, and on the loopback interface."""

from __future__ import annotations

import socket

from bakeoff.processes import free_ports, port_is_free


def test_free_ports_are_different_and_can_be_bound() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    assert all(port_is_free(port) for port in ports)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        assert not port_is_free(port)
    assert port_is_free(port)


def test_a_port_with_connections_that_are_closing_counts_as_free() -> None:
    """TIME_WAIT after a server's stop must not look like a server that still listens."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            accepted.close()  # the server closes first, so TIME_WAIT stays on its side
            assert client.recv(1) == b""

    assert port_is_free(port)
