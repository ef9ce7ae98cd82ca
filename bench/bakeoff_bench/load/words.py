"""What is said of a load run in words, the same on the screen and on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What ended a search where it was not the engine.
ENDS = {"generator": "the generator was at its end", "machine": "this machine was not itself"}
#: Two machines, or one on two days, are as fast as each other up to this share.
_ALIKE = 0.1


def partly_overloaded(result: Mapping[str, Any]) -> list[str]:
    """Of each load that was kept up with but for some rounds: in how many the backlog grew.

    An earlier bakeoff did not count them: one such round was enough to mark a load.
    """
    return [
        f"{block['contestant']}, {block['block']}: in {grew} of {block['rounds'] - block['void']} rounds the "
        "backlog grew; what these cost is in its percentiles"
        for block in result["blocks"]
        if block["kept_up"] and (grew := block.get("overloaded"))
    ]


def speed_words(result: Mapping[str, Any]) -> str:
    """How steady the machine was; empty for a run of an earlier bakeoff, which did not look."""
    if not (each := _of_each(result, "machine_speed")):
        return ""
    lowest, highest = min(one["lowest"] for one in each), max(one["highest"] for one in each)
    looks, waited_s = sum(one["looks"] for one in each), sum(one["waited_s"] for one in each)
    waited = f", and was waited for {waited_s:.0f} s" if waited_s else ""
    shares = f"{lowest:.0%} to {highest:.0%}"
    return f"this machine ran at {shares} of its usual speed, looked at {looks} times{waited}"


def speeds_apart(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """How long a second run's machine took for the same work; empty if hardly less or more, or untold."""
    then_s, now_s = (one.get("machine_speed", {}).get("usual_s") for one in (before, after))
    if not then_s or not now_s or abs(now_s / then_s - 1) <= _ALIKE:
        return ""
    return (
        f"the machine of the second run took {now_s / then_s:.2f} times as long as that of the first for the "
        "same piece of work, without any engine: differences below are its differences, too"
    )


def _of_each(result: Mapping[str, Any], name: str) -> list[Any]:
    """What the run says of itself, or each of those of which it was pooled."""
    return [one[name] for one in (result, *result.get("combined", ())) if one.get(name)]


def ends_of(found: Mapping[str, Any]) -> str:
    """What ended a search, in brackets, where it was not the engine."""
    why = ENDS.get(found["bound"])
    return f" ({why})" if why else ""


def length_of(result: Mapping[str, Any]) -> str:
    """How long loads lasted; those of rounds may have been made shorter, so that all of them fit."""
    seconds, shorter = f"{result['plan']['seconds']:g} s", sorted(set(_of_each(result, "round_s")))
    return f"{seconds} ({' or '.join(f'{one:g}' for one in shorter)} s in rounds)" if shorter else seconds


def in_time(result: Mapping[str, Any]) -> str:
    """That rounds were left out because their time was over; empty if none was."""
    return "; ".join(
        f"{about['made']} of {about['planned']} rounds: one more would not have been over within "
        f"{about['within_s'] / 60:g} min"
        for about in _of_each(result, "rounds_in_time")
    )
