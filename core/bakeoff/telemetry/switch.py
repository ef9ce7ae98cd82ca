"""Whether spans are exported, and where to."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from bakeoff.credentials import hide_credentials
from bakeoff.errors import EngineUnavailableError, UsageError

_ANSWERS_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Otlp:
    """Where the processes of a deployment export their spans to.

    Attributes:
        url: Base URL of an OTLP/HTTP receiver, e.g. ``http://127.0.0.1:4318``.
        seed: Of the deployment's trace ids, so that every process finds the trace of a saga by its id.
    """

    url: str
    seed: str


def check_otlp(text: str | None) -> str | None:
    """Return ``--otlp`` if it can be used, before anything is started; nobody need listen there yet.

    Raises:
        UsageError: If it is no URL of HTTP, or holds credentials, which would end up in manifests.
        EngineUnavailableError: If the SDK is not installed.
    """
    if not text:
        return None
    shown = hide_credentials(text)
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets that hold no address
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(parts):
        raise UsageError(
            f"--otlp {shown}: give the URL of an OTLP/HTTP receiver, e.g. http://127.0.0.1:4318 "
            "(gRPC, usually on port 4317, is not spoken)"
        )
    if parts.username or parts.password:
        raise UsageError(f"--otlp {shown}: give credentials in OTEL_EXPORTER_OTLP_HEADERS")
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401
    except ImportError as error:
        raise EngineUnavailableError(
            f'--otlp: OpenTelemetry is not installed ({error}); install it: pip install "bakeoff[otel]"'
        ) from error
    return text


def is_listened_to(url: str) -> bool:
    """Whether anybody takes connections at what ``check_otlp`` let through; each address gets two seconds."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((str(parts.hostname), port), timeout=_ANSWERS_WITHIN_S).close()
    except (OSError, UnicodeError):  # the second: no name of a host
        return False
    return True


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:  # no number, or too great a one
        return False
