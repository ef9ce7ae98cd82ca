"""What contestants and blocks of a page are called, the same in every section."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def label_of(engine: str, about: Mapping[str, Any]) -> str:
    """``engine[broker]``, as `crash` and `load` have it; `run` knows the engine alone."""
    broker = about["settings"].get("broker")
    return f"{engine}[{broker}]" if broker and "[" not in engine else engine


def slug(*words: object) -> str:
    """An ``id`` made of words."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(str(word) for word in words).lower()).strip("-")
