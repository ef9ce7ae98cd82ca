"""What an address of NATS says, as its client wants it: the client itself would not decode a password."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit


def login_of(address: str) -> dict[str, Any]:
    """Arguments of ``nats.connect``: the server without credentials, and user and password or token."""
    url = urlsplit(address)
    server = f"{url.scheme}://{url.hostname}:{url.port or 4222}"
    if not url.username:
        return {"servers": server}
    if url.password is None:
        return {"servers": server, "token": unquote(url.username)}
    return {"servers": server, "user": unquote(url.username), "password": unquote(url.password)}
