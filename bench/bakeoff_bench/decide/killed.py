"""What crash runs say: harm, and how soon everything was over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bakeoff_bench.crash.cells import NOT_OBSERVED, cell_of, outcome_word
from bakeoff_bench.crash.declared import gap_of
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.decide.facts import Kills
from bakeoff_bench.decide.measures import Value, of_middle
from bakeoff_bench.report.sources import Kind, Source, of_kind
from bakeoff_bench.run.journal import Row

_SILENT = (KillOutcome.VOID, KillOutcome.NOT_SUPPORTED)


def kills_of(sources: Sequence[Source]) -> dict[str, dict[str, Kills]]:
    """``{contestant: {fault: kills}}``, of however many runs together: harm is never forgotten.

    Services without keys show what the keys prevent; that is no engine's failing.
    """
    rows: dict[tuple[str, str], list[tuple[Source, Row]]] = defaultdict(list)
    for run in of_kind(sources, Kind.CRASH):
        if run.about["participants"] != "idempotent":
            continue
        for row in run.result["kills"]:
            if row["outcome"] not in _SILENT:
                rows[row["contestant"], row["fault"]].append((run, row))
    found: dict[str, dict[str, Kills]] = defaultdict(dict)
    for (label, fault), own in rows.items():
        found[label][fault] = _summed(label, fault, own)
    return found


def _summed(label: str, fault: str, own: Sequence[tuple[Source, Row]]) -> Kills:
    whole = cell_of([row for _, row in own])
    # Recovery is that of the contestant's class only where its leases are.
    lasting = [row for run, row in own if not _is_short(run, row)]
    timed = cell_of(lasting or [row for _, row in own]).recovery
    leases = [row.get("lease_s") for _, row in own if outcome_word(row) == NOT_OBSERVED]
    last, _ = own[-1]
    return Kills(
        judged=whole.judged,
        harmed=whole.harmed,
        unseen=whole.landed - whole.judged,
        lease_s=max((float(one) for one in leases if one is not None), default=None),
        upper=whole.harm[1] if whole.harm else None,
        recovered_s=timed.seen_s,
        unrecovered=timed.censored + timed.never,
        evidence=", ".join(dict.fromkeys(str(run.path) for run, _ in own)),
        gap=gap_of(last.about["contestants"][label], fault),
        short_leases=not lasting,
    )


def _is_short(run: Source, row: Row) -> bool:
    """Whether it had a lease, and that was shortened."""
    title = run.about["series"][row["series"]]["title"]
    return row.get("lease_s") is not None and "short leases" in title


def recovery_of(kills: Mapping[str, Kills]) -> Value | None:
    """The median after the death of a worker; ``None`` where one was not seen, or leases were short."""
    killed = kills.get("worker-kill")
    if killed is None or not killed.recovered_s or killed.unrecovered or killed.short_leases:
        return None
    return of_middle(killed.recovered_s, killed.evidence)
