"""What a page says first: which runs it rests on, of which day, from which machine, with which versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff_bench.report.page import Origin
from bakeoff_bench.report.sources import Source

_GB = 1_000_000_000


def origin_of(source: Source) -> Origin:
    """In words; contract results and counted lines of an earlier bakeoff know neither day nor machine."""
    about = source.about
    versions = {
        f"{what} {number}" for one in source.abouts.values() for what, number in one["versions"].items()
    }
    software = [f"bakeoff {about['bakeoff']}"] if about.get("bakeoff") else []
    return Origin(
        place=str(source.path) if source.stored else source.place,
        what=f"{source.kind}, as it was judged then" if source.stored else str(source.kind),
        when=str(about.get("created_at") or ""),
        machine=_machine(about.get("machine") or {}),
        versions=", ".join([*software, *sorted(versions)]),
        command=source.command,
    )


def _machine(about: Mapping[str, Any]) -> str:
    if not about:
        return ""
    memory = f", {about['memory_bytes'] / _GB:.0f} GB" if "memory_bytes" in about else ""
    return f"{about.get('system', 'a machine')}, {about['cpus']} CPUs{memory}"
