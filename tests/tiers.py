"""What plain ``pytest`` leaves out: the same once more for another engine or signal, and what tests tests.

``pytest -m thorough`` runs it, and so does naming its file. Of what a user sees, only what takes minutes is
tested there alone: a publishable load, Locust in several processes, servers of one's own, whole pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

thorough = pytest.mark.thorough


def more(*values: Any, id: str | None = None) -> Any:
    """A parameter that only a thorough run takes; several values make one set of them."""
    return pytest.param(*values, marks=thorough, id=id)


def one_of(values: Iterable[Any], *always: Any) -> list[Any]:
    """All values, of which plain ``pytest`` takes only those named."""
    return [value if value in always else more(value) for value in values]
