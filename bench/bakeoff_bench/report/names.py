"""What contestants, runs and blocks of a page are called, the same in every section."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.contestants import CLASS_WORDS


def label_of(engine: str, about: Mapping[str, Any], usual: ConfigClass = ConfigClass.RECOMMENDED) -> str:
    """``engine[broker, class]``, as `crash` and `load` have it; `run` knows the engine alone.

    Args:
        engine: Name, or a label that holds its broker, and perhaps its class, already.
        about: What the manifest says of it.
        usual: The class that is not named.
    """
    name, _, known = engine.removesuffix("]").partition("[")
    broker, config = about["settings"].get("broker"), ConfigClass(about["config_class"])
    words = [word.strip() for word in known.split(",") if word.strip()] or ([str(broker)] if broker else [])
    words = [word for word in words if word not in (config.value, CLASS_WORDS[config])]
    words += [] if config is usual else [CLASS_WORDS[config]]
    return f"{name}[{', '.join(words)}]" if words else name


def base_of(label: str, config: ConfigClass) -> str:
    """A contestant's label without its class, the same for all classes of one engine and broker."""
    name, _, known = label.removesuffix("]").partition("[")
    words = [word for word in known.split(", ") if word and word != CLASS_WORDS[config]]
    return f"{name}[{', '.join(words)}]" if words else name


def slug(*words: object) -> str:
    """An ``id`` made of words."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(str(word) for word in words).lower()).strip("-")


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """For every path its last parts, as many as it takes to tell them apart."""
    whole = {path: path.resolve().parts for path in paths}
    for count in range(1, max(map(len, whole.values()), default=1) + 1):
        names = {path: "/".join(parts[-count:]) for path, parts in whole.items()}
        if len(set(names.values())) == len(whole):
            return names
    return {path: str(path) for path in paths}
