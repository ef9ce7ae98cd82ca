"""Judges one stored run and prints, as JSON, what that took; a process of its own has a peak of its own."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from bakeoff.cli.screen import Quiet
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.result import result_of

#: ``ru_maxrss`` counts bytes on macOS and KiB elsewhere.
_UNIT = 1 if sys.platform == "darwin" else 1024

if __name__ == "__main__":
    Quiet.wanted = True  # nothing but the JSON: a long ledger's judge would tell how long it takes
    began_s = time.perf_counter()
    result = result_of(RunFolder(Path(sys.argv[1])))
    seconds = time.perf_counter() - began_s
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)  # of the largest of them
    peaks = [resource.getrusage(who).ru_maxrss * _UNIT for who in whose]
    print(json.dumps({"seconds": seconds, "peak_bytes": max(peaks), "engines": result["engines"]}))
