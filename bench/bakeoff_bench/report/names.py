"""What contestants and blocks of a page are called, the same in every section."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import CLASS_WORDS


def label_of(engine: str, about: Mapping[str, Any], usual: ConfigClass = ConfigClass.RECOMMENDED) -> str:
    """``engine[broker, class]``, as `crash` and `load` have it; `run` knows the engine alone.

    Args:
        engine: Name, or a label that holds its broker already.
        about: What the manifest says of it.
        usual: The class that is not named.
    """
    name, _, known = engine.removesuffix("]").partition("[")
    broker, config = about["settings"].get("broker"), ConfigClass(about["config_class"])
    words = [known] if known else [str(broker)] if broker else []
    words += [] if config is usual else [CLASS_WORDS[config]]
    return f"{name}[{', '.join(words)}]" if words else name


def slug(*words: object) -> str:
    """An ``id`` made of words."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(str(word) for word in words).lower()).strip("-")
