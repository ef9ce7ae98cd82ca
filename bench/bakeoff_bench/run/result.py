"""From a run folder to a result: counts, verdicts and indicative numbers per engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bakeoff.checkers import Evidence, Fate, Totals, Validity, merge
from bakeoff.cli.screen import progress
from bakeoff_bench.run.batches import Batches
from bakeoff_bench.run.countdown import span
from bakeoff_bench.run.folder import RunFolder
from bakeoff_bench.run.sums import Sum, sum_of, sum_of_all


def result_of(folder: RunFolder) -> dict[str, Any]:
    """Judge a stored run; the same folder always gives the same result.

    Returns:
        The manifest, with ``validity``, the list of rejected lines and orders, and per engine ``counts``,
        ``verdicts``, ``duplicates`` and ``indicative`` added.

    Raises:
        UsageError: If the folder is not complete.
    """
    manifest = folder.manifest()
    manifest["orders"]["rejected"] = folder.rejected()
    validities = []
    for name, about in manifest["engines"].items():
        if about["lacking"]:
            about["validity"] = "not supported"
            continue
        if not about["blocks"] and not (folder.engine(name) / "history.jsonl").exists():
            about["validity"], about["reason"] = str(Validity.UNKNOWN), "the run ended before its first block"
            validities.append(Validity.UNKNOWN)
            continue
        about |= _judged(folder.evidence(name, manifest), about)
        if not manifest["complete"]:
            withdraw(about, "the run was broken off before every saga had its time")
        validities.append(Validity(about["validity"]))
        manifest["engines"][name] = about
    manifest["validity"] = str(merge(validities))
    return manifest


#: Verdicts that a run which was broken off cannot give: they are about all sagas having had their time.
_NEED_THE_END = ("expected", "I2", "I8")


def withdraw(about: dict[str, Any], why: str, also: Sequence[str] = ()) -> None:
    """Blame no engine for sagas that had no time to end, or were never started.

    ``also``: further invariants that cannot be judged of such a run.
    """
    for verdict in about["verdicts"]:
        if verdict["invariant"] in (*_NEED_THE_END, *also) and verdict["validity"] == Validity.INVALID:
            verdict |= {"validity": str(Validity.UNKNOWN), "findings": [], "violations": 0}
            verdict["reason"] = why
    about["validity"] = str(
        merge([Validity.UNKNOWN, *(Validity(verdict["validity"]) for verdict in about["verdicts"])])
    )


def _judged(batches: Batches, about: Mapping[str, Any]) -> dict[str, Any]:
    """Judge batch by batch; verdicts and sums of the batches add up."""
    whole, rest = _added_up(batches)
    fates = whole.totals.fates
    return {
        "validity": str(merge(verdict.validity for verdict in whole.verdicts)),
        "expected": {
            **dict.fromkeys(("completed", "compensated", "compensation_failed"), 0),
            **rest.counts,
            "rejected": rest.rejected_planned,
        },
        "counts": {**{str(fate): fates[fate] for fate in Fate}, "rejected": rest.rejected},
        "verdicts": [verdict.to_json() for verdict in whole.verdicts],
        "duplicates": {name: whole.counted[name] for name in ("attempted", "planned")},
        "cancelled": whole.counted["cancelled"],
        "refused": whole.counted["refused"],
        "unfinished_hold": dict(whole.holding),
        "indicative": whole.times.indicative(about["blocks"]),
    }


def judged_whole(batches: Batches) -> dict[str, Any]:
    """``validity``, ``verdicts`` and ``counts`` of everything that happened to one engine."""
    whole, _ = _added_up(batches)
    return {
        "validity": str(merge(verdict.validity for verdict in whole.verdicts)),
        "verdicts": [verdict.to_json() for verdict in whole.verdicts],
        "counts": {str(fate): whole.totals.fates[fate] for fate in Fate},
    }


def _added_up(batches: Batches) -> tuple[Sum, Evidence]:
    """The sums over all batches, and the rest that only the whole run can be held to."""
    _announce(batches)
    with batches.sorted() as ready:
        before = sum_of_all(ready)
        rest = ready.rest(before.totals)
        return replace(before, totals=Totals()) + sum_of(rest), rest


#: Rough bytes of a ledger that are judged in a second on two cores; who waits longer than that is told.
_BYTES_PER_S, _WORTH_TELLING_S = 5e6, 1.5


def _announce(batches: Batches) -> None:
    """Say before it begins that judging will take a while."""
    ledger = batches.part / "world.db"
    seconds = ledger.stat().st_size / _BYTES_PER_S if ledger.exists() else 0.0
    if seconds >= _WORTH_TELLING_S:
        megabytes = ledger.stat().st_size / 1e6
        progress(f"judging the ledger of {batches.part.name}, {megabytes:.1f} MB: about {span(seconds)} ...")
