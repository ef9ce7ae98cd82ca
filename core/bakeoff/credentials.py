"""What may be shown of an address, and of what a library says about it: neither password nor user name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import unquote

HIDDEN = "***"

#: What names of secrets contain.
_SECRET_WORDS = ("pass", "pwd", "secret", "token", "credential", "auth", "api_key", "private_key")
#: In the query of a URL, where little else stands, these too.
_PRIVATE_WORDS = (*_SECRET_WORDS, "key", "user", "login", "role")


def hide_credentials(address: str) -> str:
    """The address without user name and password, wherever they stand: before ``@`` or in the query.

    Where it is not clear what belongs to a password (an ``@`` after a ``?`` or ``#``), all is hidden.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "", address
    place, mark, query = _split(rest)
    if "@" in query:
        return f"{scheme}{separator}{HIDDEN}"
    user, at, host = place.rpartition("@")
    del user
    shown = "&".join(_hide_item(item) for item in query.split("&")) if query else ""
    return f"{scheme}{separator}{HIDDEN + at if at else ''}{host}{mark}{shown}"


def without_credentials(text: str, *addresses: str) -> str:
    """A library's words without the addresses' credentials; it may quote them."""
    for address in addresses:
        text = text.replace(address, hide_credentials(address))
        for secret in sorted(set(_secrets(address)), key=len, reverse=True):
            # As a word of its own: a one-letter password must not eat the message.
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return text


def names_a_secret(name: str) -> bool:
    """Whether a key that nobody declared sounds like a secret: better one too many."""
    return any(word in name.lower() for word in _SECRET_WORDS)


def hide_in_word(word: str, secrets: Collection[str]) -> str:
    """One word of a command line without what is secret in it.

    Args:
        word: ``--set=celery.broker=redis://...``, an address, or anything else.
        secrets: ``ENGINE.NAME`` of settings that nobody is to see.
    """
    option, equals, rest = word.partition("=") if word.startswith("--") else ("", "", word)
    name, is_, value = rest.partition("=")
    if is_ and value and (name in secrets or names_a_secret(name)):
        rest = f"{name}={HIDDEN}"
    elif is_ and "://" in value:
        rest = f"{name}={hide_credentials(value)}"
    elif "://" in rest:
        rest = hide_credentials(rest)
    return f"{option}{equals}{rest}"


def _is_private(name: str) -> bool:
    return any(word in name.lower() for word in _PRIVATE_WORDS)


def _split(rest: str) -> tuple[str, str, str]:
    """What stands before the first ``?`` or ``#``, that mark, and what follows."""
    found = re.search(r"[?#]", rest)
    return (rest[: found.start()], found.group(), rest[found.end() :]) if found else (rest, "", "")


def _hide_item(item: str) -> str:
    name, equals, _ = item.partition("=")
    if not equals:
        return HIDDEN  # a piece of an unquoted password, for all we know
    return f"{name}={HIDDEN}" if _is_private(name) else item


def _secrets(address: str) -> Iterator[str]:
    """User name, password and secret values of the query, as written and as meant."""
    _, separator, rest = address.partition("://")
    rest = rest if separator else address
    place, _, query = _split(rest)
    if "@" in query:
        place, query = rest, ""
    parts = place.rpartition("@")[0].split(":", 1)
    parts += [item.partition("=")[2] for item in query.split("&") if _is_private(item.partition("=")[0])]
    for part in filter(None, parts):
        yield from {part, unquote(part), *filter(None, re.split(r"[?#/@]", part))}
