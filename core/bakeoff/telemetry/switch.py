"""Whether spans are exported, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from bakeoff.credentials import hide_credentials
from bakeoff.errors import EngineUnavailableError, UsageError


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
    shown, parts = hide_credentials(text), urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
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
