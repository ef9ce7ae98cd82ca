"""What a process behind a bridge has counted, told in its log when it ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping

_logger = logging.getLogger(__name__)


def tell(what: str, counts: Mapping[str, int]) -> None:
    """One line with the sum of ``{why: how many}`` and its parts; none where nothing was counted."""
    if counts:
        parts = ", ".join(f"{why}: {count}" for why, count in sorted(counts.items()))
        _logger.warning("%s: %d (%s)", what, sum(counts.values()), parts)
