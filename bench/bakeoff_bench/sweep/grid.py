"""``--vary`` texts and the grid that they span."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from bakeoff.errors import UsageError

#: More combinations than anybody waits for.
MOST = 64


def parse_vary(texts: Sequence[str], engines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """``{"ENGINE.NAME": values}`` of ``[ENGINE.]NAME=VALUE,VALUE,...``.

    Args:
        texts: As given.
        engines: Those asked for; a name without an engine belongs to the only one.

    Raises:
        UsageError: If it is not written so, names no engine of several, or repeats a name or a value.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        key, equals, listed = text.partition("=")
        values = tuple(value.strip() for value in listed.split(","))
        if not equals or not key or not all(values):
            raise UsageError(f"--vary {text}: write --vary NAME=VALUE,VALUE, e.g. visibility_timeout=12,45")
        if "." not in key:
            if len(engines) != 1:
                raise UsageError(f"--vary {text}: say whose setting it is: --vary ENGINE.{text}")
            key = f"{engines[0]}.{key}"
        engine = key.partition(".")[0]
        if engine not in engines:
            raise UsageError(f"--vary {text}: {engine} is not in use here; add --engine {engine}")
        if key in found or len(set(values)) < len(values):
            raise UsageError(f"--vary {text}: {'a value' if key not in found else key} is there twice")
        found[key] = values
    return found


def grid(vary: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Every combination of values, each engine's settings among themselves.

    Raises:
        UsageError: If there are too many.
    """
    combinations: list[dict[str, str]] = []
    for engine in dict.fromkeys(key.partition(".")[0] for key in vary):
        own = {key: values for key, values in vary.items() if key.partition(".")[0] == engine}
        combinations += [dict(zip(own, values, strict=True)) for values in itertools.product(*own.values())]
    if len(combinations) > MOST:
        raise UsageError(f"--vary: {len(combinations)} combinations; vary fewer values (at most {MOST})")
    return combinations
