"""Who takes part in a crash matrix: an engine with a broker, a configuration class and settings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.cli.options import ChosenEngine, choose_engines
from bakeoff.engine import OrchestrationEngine
from bakeoff.errors import UsageError
from bakeoff.settings import ConfigClass, Setting, SettingsInForce
from bakeoff.tuned import spelled_out

_BROKER = "broker"
#: How a configuration class is called where results are compared.
CLASS_WORDS = {
    ConfigClass.DEFAULT: "as shipped",
    ConfigClass.RECOMMENDED: "recommended",
    ConfigClass.TUNED: "tuned",
    ConfigClass.CI: "ci",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for of the engines; stored, so that an interrupted run can be resumed.

    Attributes:
        engines: Names; empty for all installed.
        brokers: Of the engines that have a choice; empty for all that they know.
        sets, raws: Texts of ``--set`` and ``--set-raw``.
        short_leases: Whether leases have their values of class ``ci``, so that a matrix takes minutes.
    """

    engines: tuple[str, ...] = ()
    brokers: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    raws: tuple[str, ...] = ()
    short_leases: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``from_json`` reverses it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """Reverse of ``to_json``."""
        texts = {name: tuple(data[name]) for name in ("engines", "brokers", "sets", "raws")}
        return cls(**texts, short_leases=data["short_leases"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One column of the matrix.

    Attributes:
        label: Its heading: ``celery[rabbitmq]``, ``celery[valkey, as shipped]``.
        engine, settings: What is brought up.
        sets, raws: The options with which it can be brought up alone.
    """

    label: str
    engine: OrchestrationEngine
    settings: SettingsInForce
    sets: tuple[str, ...]
    raws: tuple[str, ...]

    @property
    def chosen(self) -> ChosenEngine:
        """As ``choose_engines`` returns it."""
        return ChosenEngine(self.engine, self.settings)

    @property
    def slug(self) -> str:
        """The label as a folder's name."""
        return "".join(c if c.isalnum() or c in "=._-" else "-" for c in self.label).strip("-")

    @property
    def lease_s(self) -> float | None:
        """Seconds after which a killed worker's work is taken over, by the settings that decide that.

        ``None`` where there is no such setting: its end is noticed when its connection breaks. Nor where a
        call that was begun is never taken over: there is no time to wait for.
        """
        if self.engine.info(self.settings).lease_s == math.inf:
            return None
        declared = self.engine.info().settings
        leases = [self.settings[s.name] for s in declared if s.lease and self.settings.applies(s.name)]
        return float(max(leases)) if leases else None

    def arguments(self) -> list[str]:
        """The command-line options that choose exactly this one."""
        config_class, found = spelled_out(self.engine.info().settings, self.settings)
        options = ["--engine", self.engine.name, "--config", str(config_class)]
        sets = [*(f"{self.engine.name}.{name}={text}" for name, text in found.items()), *self.sets]
        options += [part for text in sets for part in ("--set", text)]
        return options + [part for text in self.raws for part in ("--set-raw", text)]


def behind(contestants: Sequence[Contestant], bridge: str) -> list[Contestant]:
    """The same behind a bridge: contestants of their own, for their steps are made by services elsewhere."""
    if bridge == IN_PROCESS:
        return list(contestants)
    return [replace(one, label=f"{one.label} over {bridge}") for one in contestants]


def find_contestants(
    options: Options,
    config: ConfigClass,
    varied: Sequence[Mapping[str, str]] = ({},),
    *,
    ours_only: bool = True,
) -> list[Contestant]:
    """Every engine, once for each broker that it has a choice of, once for each set of varied settings.

    Args:
        options: What was asked for.
        config: Configuration class.
        varied: ``{"ENGINE.NAME": text}`` settings that distinguish contestants of one engine (a sweep).
        ours_only: Whether servers of the user's own are refused: something is to be killed.

    Raises:
        UsageError: For an unknown engine, broker, setting or value; a server that is not ours to kill.
    """
    everyone = choose_engines(list(options.engines), config=config, raws=options.raws)
    if not {text.partition(".")[0] for text in options.sets} <= {one.name for one in everyone}:
        choose_engines(list(options.engines), config=config, sets=options.sets)  # says what is wrong
    _check_brokers(options.brokers, everyone)
    found = [
        _contestant(one, options, config, broker, settings)
        for one in everyone
        if config is not ConfigClass.DEFAULT or _as_shipped_is_special(one)
        for broker in _brokers(one, options.brokers, options.sets)
        for settings in varied
    ]
    if ours_only:
        for one in found:
            _check_ours(one.chosen)
    # What is varied may concern another engine, or have no effect with one broker.
    return list({one.label: one for one in found}.values())


def _as_shipped_is_special(one: ChosenEngine) -> bool:
    """An engine that is recommended as it is shipped would only be killed twice."""
    return any(setting.default != setting.recommended for setting in one.engine.info().settings)


def _brokers(one: ChosenEngine, wanted: Sequence[str], sets: Sequence[str]) -> Iterator[str | None]:
    known = [str(choice) for choice in _choices(one)]
    if (
        not known
        or _BROKER in one.settings.changed
        or any(text.startswith(f"{one.name}.{_BROKER}=") for text in sets)
    ):
        yield None
        return
    if one.settings.config_class is ConfigClass.TUNED:
        # The broker is among what was found.
        known = [str(one.settings[_BROKER])]
    yield from (broker for broker in known if not wanted or broker in wanted)


def _choices(one: ChosenEngine) -> tuple[Any, ...]:
    declared = {setting.name: setting for setting in one.engine.info().settings}
    return declared[_BROKER].choices if _BROKER in declared else ()


def _check_brokers(wanted: Sequence[str], everyone: Sequence[ChosenEngine]) -> None:
    known = {str(choice) for one in everyone for choice in _choices(one)}
    for broker in wanted:
        if broker not in known:
            listed = ", ".join(sorted(known)) or "none: no engine asked for has a choice of brokers"
            raise UsageError(f"--broker {broker}: there is no such broker; known: {listed}")


def _contestant(
    one: ChosenEngine, options: Options, config: ConfigClass, broker: str | None, varied: Mapping[str, str]
) -> Contestant:
    name = one.name

    def chosen(sets: Sequence[str]) -> ChosenEngine:
        return choose_engines([name], config=config, sets=sets, raws=raws)[0]

    sets = [f"{name}.{_BROKER}={broker}"] if broker is not None else []
    raws = tuple(text for text in options.raws if text.partition(".")[0] == name)
    plain = chosen(sets)
    own_sets = [text for text in options.sets if text.partition(".")[0] == name]
    # One that concerns the other broker only is for the contestant with that broker.
    sets += [text for text in own_sets if broker is None or plain.settings.applies(_setting_of(text))]
    plain = chosen(sets)
    own = _varied(plain, varied)
    if options.short_leases:
        sets += [
            f"{name}.{s.name}={s.ci}" for s in _leases(plain) if s.name not in {*plain.settings.changed, *own}
        ]
    sets += [f"{name}.{key}={text}" for key, text in own.items()]
    ready = chosen(sets)
    words = [str(ready.settings[_BROKER])] if _choices(one) else []
    words += [CLASS_WORDS[config]] if config is not ConfigClass.RECOMMENDED else []
    words += [f"{key}={text}" for key, text in own.items()]
    return Contestant(
        label=f"{name}[{', '.join(words)}]" if words else name,
        engine=ready.engine,
        settings=ready.settings,
        sets=tuple(sets),
        raws=raws,
    )


def _setting_of(text: str) -> str:
    return text.partition("=")[0].partition(".")[2]


def _varied(one: ChosenEngine, varied: Mapping[str, str]) -> dict[str, str]:
    """``{setting: text}`` of this engine, as far as it has an effect; a stranger is complained of later."""
    own = {key.partition(".")[2]: text for key, text in varied.items() if key.partition(".")[0] == one.name}
    return {key: text for key, text in own.items() if one.settings.applies(key)}


def _leases(one: ChosenEngine) -> list[Setting]:
    return [s for s in one.engine.info().settings if s.lease and one.settings.applies(s.name)]


def _check_ours(one: ChosenEngine) -> None:
    outside = [s.role for s in one.engine.servers(one.settings) if s.external_address is not None]
    if outside:
        raise UsageError(
            f"{one.name}: {', '.join(outside)} was not started by bakeoff, and nothing is killed there; "
            "leave the address out to have one started"
        )
