"""CPU seconds of processes that come and go, none of them counted twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bakeoff.stack import Backend
from bakeoff_bench.meter.reading import Reading, read
from bakeoff_bench.meter.roles import Role, processes_of

_Key = tuple[int, float]


def cpu_seconds(backends: Sequence[Backend]) -> float:
    """User and system seconds up to now of what these deployments consist of, without their clients.

    Living processes, and children of theirs that have ended. A leader that was killed is missing with all
    it had used; whoever kills needs a ``ResourceMeter``.
    """
    readings = [read(pid, memory=False) for one in backends for pid in processes_of(one)]
    return sum(one.own_s + one.ended_children_s for one in readings if one is not None)


@dataclass(slots=True)
class _Entry:
    role: Role
    parent: _Key | None
    first: Reading
    last: Reading
    ended: bool = False

    @property
    def key(self) -> _Key:
        return self.last.pid, self.last.began_at


class CpuBook:
    """Adds up what processes use from the first ``record`` on.

    A process counts as far as it was seen. One that ended may have gone on after that for up to a sample, and
    one that was short was never seen: both show where their parent asked for their end, because the system
    then adds their whole lives to the parent's account of ended children. What was seen of them is taken off
    that account first. Where nobody of ours asked (a killed leader, an orphan), the last sample must do.
    """

    def __init__(self) -> None:
        self._entries: dict[_Key, _Entry] = {}
        self._begun = False
        self._highest_s: dict[Role, float] = defaultdict(float)

    def record(
        self, readings: Iterable[Reading], roles: Mapping[int, Role], parents: Mapping[int, int]
    ) -> None:
        """Take one sample of all members.

        What is seen for the first time after the first sample has begun since, so all of it counts.

        Args:
            readings: Those that are there; what is missing has ended before the readings were taken.
            roles: ``{process id: role}``.
            parents: ``{process id: process id of its parent}``.
        """
        now = {(one.pid, one.began_at): one for one in readings}
        keys = {pid: (pid, began_at) for pid, began_at in now}
        for key, one in now.items():
            entry = self._entries.get(key)
            if entry is None:
                nothing = one._replace(own_s=0.0, ended_children_s=0.0)
                first = nothing if self._begun else one
                self._entries[key] = _Entry(roles[one.pid], keys.get(parents[one.pid]), first, one)
            else:
                entry.last = one
                # Whoever is just being started is its parent's for a moment.
                entry.role = roles[one.pid]
        for key, entry in self._entries.items():
            entry.ended = key not in now
        self._begun = True

    def seconds(self) -> dict[Role, float]:
        """``{role: seconds}`` so far."""
        ended: dict[_Key, list[_Entry]] = defaultdict(list)
        for entry in self._entries.values():
            if entry.ended and entry.parent is not None:
                ended[entry.parent].append(entry)

        def seen_of_ended_children(key: _Key) -> float:
            return sum(map(seen_of, ended[key]))

        def seen_of(child: _Entry) -> float:
            """Of its whole life, with all that it may itself have asked for the end of."""
            grandchildren_s = child.first.ended_children_s + seen_of_ended_children(child.key)
            return child.last.own_s + max(child.last.ended_children_s, grandchildren_s)

        used: dict[Role, float] = defaultdict(float)
        for key, entry in list(self._entries.items()):
            told_s = entry.last.ended_children_s - entry.first.ended_children_s
            used[entry.role] += entry.last.own_s - entry.first.own_s
            used[entry.role] += max(0.0, told_s - seen_of_ended_children(key))
        for role, seconds in used.items():
            # A child may end between the readings of one sample; the next sample puts that right.
            self._highest_s[role] = max(self._highest_s[role], seconds)
        return dict(self._highest_s)
