"""Facts of the same contestant from several files and runs, made one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from bakeoff_bench.decide.facts import Facts, Kills
from bakeoff_bench.decide.killed import recovery_of
from bakeoff_bench.decide.measures import Measure
from bakeoff_bench.significance import proportion


def merged(everyone: Sequence[Facts]) -> list[Facts]:
    """One of each label, with values that compare."""
    found: dict[str, Facts] = {}
    for one in everyone:
        old = found.get(one.label)
        found[one.label] = one if old is None else _both(old, one)
    return _at_one_load([found[label] for label in sorted(found)])


def _both(old: Facts, new: Facts) -> Facts:
    """Kills add up. Loads of a server that is not the same are not mixed: the later ones count."""
    same = new.stand_in == old.stand_in or not new.loads
    kills = {
        name: _all_kills(old.kills.get(name), new.kills.get(name))
        for name in dict.fromkeys([*old.kills, *new.kills])
    }
    recovery = recovery_of(kills)
    measures = {**(old.measures if same else {}), **new.measures}
    if kills:
        measures.pop(Measure.RECOVERY, None)
    return replace(
        new,
        kills=kills,
        loads=[*old.loads, *new.loads] if same else new.loads,
        capabilities={**old.capabilities, **new.capabilities},
        promises={**old.promises, **new.promises},
        servers=old.servers if new.servers is None else new.servers,
        servers_evidence=old.servers_evidence if new.servers is None else new.servers_evidence,
        measures=measures if recovery is None else {**measures, Measure.RECOVERY: recovery},
        stand_in=new.stand_in if new.loads else old.stand_in,
    )


def _all_kills(old: Kills | None, new: Kills | None) -> Kills:
    if old is None or new is None:
        found = old or new
        assert found is not None
        return found
    judged, harmed = old.judged + new.judged, old.harmed + new.harmed
    interval = proportion(harmed, judged)
    # Recovery is that of the contestant's class only where its leases are.
    timed = [one for one in (old, new) if not one.short_leases] or [old, new]
    leases = [one.lease_s for one in (old, new) if one.lease_s is not None]
    return Kills(
        judged=judged,
        harmed=harmed,
        unseen=old.unseen + new.unseen,
        lease_s=max(leases, default=None),
        upper=interval[1] if interval else None,
        recovered_s=[seconds for one in timed for seconds in one.recovered_s],
        unrecovered=sum(one.unrecovered for one in timed),
        evidence=", ".join(dict.fromkeys([*old.evidence.split(", "), *new.evidence.split(", ")])),
        gap=new.gap,
        short_leases=old.short_leases and new.short_leases,
    )


def _at_one_load(everyone: Sequence[Facts]) -> list[Facts]:
    """Of every measure the values at the load that most have; a value at another one compares with nobody's.

    Facts that were gathered together are at one load already.
    """
    loads: dict[Measure, Counter[str]] = defaultdict(Counter)
    for one in everyone:
        for measure, value in one.measures.items():
            loads[measure][value.load] += 1
    common = {measure: max(sorted(found), key=lambda load: found[load]) for measure, found in loads.items()}
    return [
        replace(
            one,
            measures={
                measure: value for measure, value in one.measures.items() if value.load == common[measure]
            },
        )
        for one in everyone
    ]
