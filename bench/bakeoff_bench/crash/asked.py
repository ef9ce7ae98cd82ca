"""What a user asked a crash run for; the plan follows from it, again when the run is resumed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bakeoff.bridge.bridges import IN_PROCESS, choose_bridge
from bakeoff.cli.options import choose_saga
from bakeoff.cli.screen import warn
from bakeoff.errors import EngineUnavailableError, UnknownNameError, UsageError
from bakeoff.nemesis import Fault
from bakeoff.plugins import Plugins
from bakeoff.processes import run_interruptibly
from bakeoff.settings import ConfigClass
from bakeoff.telemetry import check_otlp
from bakeoff.world.world import Participants
from bakeoff_bench.crash.contestants import CLASS_WORDS, Contestant, Options, behind, find_contestants
from bakeoff_bench.crash.plan import CrashPlan, Series
from bakeoff_bench.crash.points import ALL_WINDOWS, check_saga, choose_points, windows_named, windows_of
from bakeoff_bench.crash.profiles import Part
from bakeoff_bench.run.preflight import missing_servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything from which the plan follows.

    Attributes:
        saga: ``--saga``.
        options: Of the engines; ``short_leases`` is the part's business.
        parts: Blocks of the matrix.
        seed, lanes, copies, participants, bridge, otlp: See ``CrashPlan``.
        varied: ``[{"ENGINE.NAME": text}]`` of a sweep; contestants differ in them.
    """

    saga: str
    options: Options
    parts: Sequence[Part]
    seed: int
    lanes: int
    participants: Participants
    varied: Sequence[Mapping[str, str]] = ({},)
    copies: int = 1
    bridge: str = IN_PROCESS
    otlp: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``from_json`` reverses it."""
        return {
            "saga": self.saga,
            "options": self.options.to_json(),
            "parts": [{**asdict(part), "config": str(part.config)} for part in self.parts],
            "seed": self.seed,
            "lanes": self.lanes,
            "participants": self.participants,
            "varied": [dict(one) for one in self.varied],
            "copies": self.copies,
            "bridge": self.bridge,
            "otlp": self.otlp,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Asked:
        """Reverse of ``to_json``."""
        parts = [
            Part(
                **{
                    **part,
                    "config": ConfigClass(part["config"]),
                    "faults": tuple(part["faults"]),
                    "points": tuple(part["points"]),
                }
            )
            for part in data["parts"]
        ]
        return cls(**{**data, "options": Options.from_json(data["options"]), "parts": parts})

    def plan(self) -> CrashPlan:
        """Find everything that was named.

        Raises:
            UsageError: For a name that nobody knows, or a server that is not ours to kill.
            EngineUnavailableError: If a program of an engine asked for by name is missing, or none is left.
        """
        saga, references = choose_saga(self.saga)
        check_saga(saga)
        bridge, otlp = choose_bridge(self.bridge), check_otlp(self.otlp)
        if bridge.url is not None:
            raise UsageError(
                "--bridge URL: nothing is killed on a server that bakeoff did not start; give --bridge nats"
            )
        known = Plugins().faults()
        found: dict[tuple[ConfigClass, bool], list[Contestant]] = {}
        series = []
        for part in self.parts:
            names = part.faults or self._others(known)
            key = (part.config, part.short_leases)
            if key not in found:
                options = replace(self.options, short_leases=part.short_leases)
                everyone = behind(find_contestants(options, part.config, self.varied), bridge.name)
                # None where nobody differs from what is recommended as it is shipped.
                found[key] = run_interruptibly(self._with_servers(everyone)) if everyone else []
            if not found[key]:
                continue
            windows = windows_of(saga, ((one.engine, one.settings) for one in found[key]), bridge.name)
            if part.points == (ALL_WINDOWS,) and not windows_named(ALL_WINDOWS, windows):
                continue
            series.append(
                Series(
                    title=CLASS_WORDS[part.config] + (", short leases" if part.short_leases else ""),
                    contestants=found[key],
                    faults=[_fault(name, known) for name in names],
                    points=list(choose_points(saga, list(part.points), windows)),
                    kills=part.kills,
                    deadline_s=part.deadline_s,
                )
            )
        if not series:
            raise UsageError(_nobody({part.config for part in self.parts}))
        return CrashPlan(
            saga=saga,
            references=references,
            series=series,
            seed=self.seed,
            lanes=self.lanes,
            participants=self.participants,
            copies=self.copies,
            bridge=bridge,
            otlp=otlp,
        )

    def _others(self, known: Mapping[str, Fault]) -> list[str]:
        """Faults that no other part names."""
        named = {name for part in self.parts for name in part.faults}
        return [name for name in known if name not in named]

    async def _with_servers(self, everyone: Sequence[Contestant]) -> list[Contestant]:
        """Those whose servers are installed; an engine asked for by name must have them."""
        ready = []
        for one in everyone:
            problem = await missing_servers(one.chosen)
            if problem is None:
                ready.append(one)
            elif one.engine.name in self.options.engines and self._only_choice(one):
                raise EngineUnavailableError(problem)
            else:
                warn(f"left out: {one.label}: {problem}")
        if not ready:
            raise EngineUnavailableError("no engine can be started; `bakeoff doctor` tells what is missing")
        return ready

    def _only_choice(self, one: Contestant) -> bool:
        """Whether leaving it out would leave out what was asked for by name."""
        return len(self.options.brokers) == 1 or "broker" not in one.settings.values


def _nobody(configs: Collection[ConfigClass]) -> str:
    """Why a class of settings has no contestant."""
    if ConfigClass.TUNED in configs:
        return "--config tuned: the broker that was found is not among those of --broker; leave that out"
    return (
        "--config default: no engine asked for is shipped with other settings than are recommended; "
        "leave the option out"
    )


def _fault(name: str, known: Mapping[str, Fault]) -> Fault:
    if name not in known:
        listed = "; ".join(f"{fault.name}: {fault.description}" for fault in known.values())
        raise UnknownNameError(f"--fault {name}: there is no such fault. {listed}")
    return known[name]
