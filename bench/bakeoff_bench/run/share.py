"""A process that judges its share of a long run: the task lies in a file, which the answer replaces."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from bakeoff.errors import BakeoffError
from bakeoff_bench.run.batches import Sorted
from bakeoff_bench.run.sums import Sum, sum_over

if __name__ == "__main__":
    place = Path(sys.argv[1])
    task: tuple[Sorted, range] = pickle.loads(place.read_bytes())  # of our own parent, from its folder
    told: Sum | BakeoffError
    try:
        told = sum_over(*task)
    except BakeoffError as error:
        told = error
    place.write_bytes(pickle.dumps(told))
