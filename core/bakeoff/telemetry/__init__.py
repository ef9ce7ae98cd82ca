"""Traces of sagas as OpenTelemetry spans; nothing of its SDK is imported unless they are asked for."""

from __future__ import annotations

from bakeoff.telemetry.carrying import Headers, carried, carry, carrying, headers_in, with_headers
from bakeoff.telemetry.switch import Otlp, check_otlp

__all__ = ["Headers", "Otlp", "carried", "carry", "carrying", "check_otlp", "headers_in", "with_headers"]
