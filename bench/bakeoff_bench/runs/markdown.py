"""A comparison for a pull request: a Markdown table, what matters first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bakeoff_bench.runs.against import Change

_HEAD = ("contestant", "load", "what", "A", "B", "B / A (95 %)", "rounds", "verdict")


def markdown_of(
    found: Sequence[Change],
    broken: Sequence[Change],
    names: tuple[str, str],
    notes: Mapping[str, str] | None = None,
    untold: Sequence[str] = (),
) -> str:
    """The changes as text.

    Args:
        found: Everything that both runs measured.
        broken: Those of them that are worse than allowed.
        names: Of A and B.
        notes: ``{contestant: what belongs beside its numbers}``.
        untold: Sentences about what is limited, and not known of B.
    """
    ordered = sorted(found, key=lambda one: (one not in broken, not one.beyond_chance))
    lines = [
        f"**bakeoff compare**: A is `{names[0]}`, B is `{names[1]}`",
        "",
        _row(_HEAD),
        _row(["---"] * len(_HEAD)),
    ]
    lines += [_row(_cells(one, one in broken)) for one in ordered]
    allowed = "nothing is worse than allowed" if not untold else "nothing else is worse than allowed"
    verdict = f"{len(broken)} worse than allowed" if broken else allowed
    lines += ["", f"{verdict}; intervals are Welch's over the logarithms of rounds."]
    lines += [f"**{sentence}.**" for sentence in untold]
    return "\n".join([*lines, *(f"{label}: {note}." for label, note in (notes or {}).items())])


def _cells(one: Change, broken: bool) -> list[str]:
    interval = "one round" if one.low is None else f"{one.low:.3f} to {one.high:.3f}"
    return [
        one.contestant,
        one.block,
        one.metric,
        f"{one.before:.4g}",
        f"{one.after:.4g}",
        f"{one.ratio:.3f} ({interval})",
        f"{one.rounds[0]} and {one.rounds[1]}",
        "**worse than allowed**" if broken else _word(one),
    ]


def _word(one: Change) -> str:
    if one.low is None:
        return "cannot be told"
    if not one.beyond_chance:
        return "no more than chance"
    return "worse" if one.worse else "better"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
