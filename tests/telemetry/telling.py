"""A saga whose step tells which modules its worker has imported."""

from __future__ import annotations

import sys

from bakeoff.saga import JSON, Call, Saga, Step

_OURS = ("bakeoff.telemetry.tracing", "bakeoff.telemetry.exporting", "bakeoff.telemetry.client")
#: Not all of ``opentelemetry``: redis-py imports its API and its metrics where it is installed (8.1).
_SDK = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.proto")


def tell_modules(call: Call) -> JSON:
    """Names of the modules that make and export spans, as far as this process knows them."""
    return sorted(name for name in sys.modules if name.startswith(_OURS) or name.startswith(_SDK))


TELLING = Saga("telling", (Step(name="tell_modules", action=tell_modules),))
