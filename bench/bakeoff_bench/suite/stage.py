"""At most one engine is up: the one whose turn it is."""

from __future__ import annotations

import contextlib

import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.errors import BakeoffError
from bakeoff_bench.suite.site import Site, running_site


class Stage:
    """Brings an engine up when it is asked for, and takes down whoever was there before."""

    def __init__(self) -> None:
        self._up: tuple[str, bool, Site] | None = None
        self._failed: dict[tuple[str, bool], str] = {}
        self._cleanup = contextlib.ExitStack()

    def site(self, one: Contestant, *, faults: bool = False) -> Site:
        """The running engine; one that does not come up fails the benchmark, and is not tried again."""
        if self._up is not None and self._up[:2] == (one.label, faults):
            return self._up[2]
        self.clear()
        if (one.label, faults) not in self._failed:
            try:
                site = self._cleanup.enter_context(running_site(one, faults=faults))
            except BakeoffError as error:
                self._failed[one.label, faults] = f"{one.label} did not come up: {error}"
            else:
                self._up = (one.label, faults, site)
                return site
        pytest.fail(self._failed[one.label, faults], pytrace=False)

    def clear(self) -> None:
        """Take down what is up."""
        self._up = None
        self._cleanup.close()
