"""What a condition may see before the saga has run."""

from __future__ import annotations

from typing import Any


class Unforeseen(Exception):
    """A condition looked at what a step returned."""


class _WhatAStepReturned:
    """Stands for it: that it is there can be foreseen, what it is cannot."""

    def _refuse(self, *args: object) -> Any:
        raise Unforeseen("it reads a step's result")

    __getitem__ = __getattr__ = __bool__ = __len__ = __iter__ = __contains__ = _refuse
    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = _refuse
    __hash__ = None  # type: ignore[assignment]


UNFORESEEN = _WhatAStepReturned()
