"""Traces of sagas as OpenTelemetry spans; nothing of its SDK is imported unless they are asked for."""

from __future__ import annotations

from bakeoff.telemetry.carrying import Headers, carried, carry, carrying, headers_in, with_headers
from bakeoff.telemetry.switch import Otlp, check_otlp, is_listened_to

__all__ = [
    "Headers",
    "Otlp",
    "carried",
    "carry",
    "carrying",
    "check_otlp",
    "headers_in",
    "is_listened_to",
    "with_headers",
]
