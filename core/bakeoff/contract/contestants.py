"""The engines that a test session was asked for, with the settings in force."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bakeoff.bridge.bridges import IN_PROCESS, NO_BRIDGE, ChosenBridge, choose_bridge
from bakeoff.engine import EngineInfo, OrchestrationEngine
from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, Setting, SettingsInForce, resolve
from bakeoff.tuned import Tuned, read_tuned


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line said.

    Attributes:
        engines: Names, or ``all``; empty means ``inline``.
        plugins: ``NAME=MODULE`` of engines without an entry point.
        sets, raws: ``ENGINE.NAME=VALUE``.
        broker: For every engine that has such a setting.
        bridge: Between steps and services.
        config_class: Where untouched values come from.
    """

    engines: Sequence[str] = ()
    plugins: Sequence[str] = ()
    sets: Sequence[str] = ()
    raws: Sequence[str] = ()
    broker: str | None = None
    bridge: str = IN_PROCESS
    config_class: str = "ci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One engine as it will be tested.

    Attributes:
        label: Column of the matrix: the name, with the broker where the engine has a choice of brokers,
            and with every other setting that was changed.
        bridge: Between steps and services. It is no part of the label: it must change nothing that a contract
            test sees, so what was found over a bridge is compared with what was reviewed without one.
    """

    name: str
    label: str
    engine: OrchestrationEngine
    info: EngineInfo
    settings: SettingsInForce
    bridge: ChosenBridge = NO_BRIDGE


def find_contestants(wishes: Wishes) -> list[Contestant]:
    """Load every engine asked for.

    Raises:
        UsageError: For an unknown engine, setting or bridge, an engine whose SDK is missing, or a broker that
            no engine would use.
    """
    bridge = choose_bridge(wishes.bridge)
    plugins = Plugins(extra=dict(_pair(text, "--engine-plugin", "NAME=MODULE") for text in wishes.plugins))
    names = list(dict.fromkeys(wishes.engines)) or ["inline"]
    if "all" in names:
        names = plugins.engine_names()
    overrides, raws = _by_engine(wishes.sets, "--set"), _by_engine(wishes.raws, "--set-raw")
    for stranger in sorted({*overrides, *raws} - set(names)):
        asked = ", ".join(names)
        raise UsageError(f"--set {stranger}...: {stranger!r} is not among the engines asked for: {asked}")
    try:
        config_class = ConfigClass(wishes.config_class)
    except ValueError:
        raise UsageError(f"--config {wishes.config_class}: known are {', '.join(ConfigClass)}") from None
    engines = {name: plugins.engine(name) for name in names}
    tuned = read_tuned(os.environ) if config_class is ConfigClass.TUNED else None
    if tuned is not None and "all" in wishes.engines:
        # Class tuned has those of which somebody searched the values.
        engines = {name: one for name, one in engines.items() if tuned.knows(name, one.info().settings)}
    if wishes.broker is not None and not any(_has_broker(engine) for engine in engines.values()):
        raise UsageError(
            f"--broker {wishes.broker}: no engine asked for has a choice of brokers: {', '.join(names)}"
        )
    found = [
        _contestant(engine, config_class, overrides.get(name, {}), raws.get(name, {}), wishes.broker, tuned)
        for name, engine in engines.items()
    ]
    return [replace(one, bridge=bridge) for one in found]


def _contestant(
    engine: OrchestrationEngine,
    config_class: ConfigClass,
    overrides: Mapping[str, str],
    raw: Mapping[str, str],
    broker: str | None,
    tuned: Tuned | None,
) -> Contestant:
    declared = engine.info().settings
    chosen = dict(overrides)
    if broker is not None and _has_broker(engine):
        chosen.setdefault("broker", broker)
    found = tuned.of(engine.name, declared) if tuned is not None else None
    settings = resolve(engine.name, declared, config_class, chosen, raw, os.environ, found)
    return Contestant(
        name=engine.name,
        label=_label(engine.name, declared, settings),
        engine=engine,
        info=engine.info(settings),
        settings=settings,
    )


def _has_broker(engine: OrchestrationEngine) -> bool:
    return any(setting.name == "broker" for setting in engine.info().settings)


def _label(name: str, declared: Sequence[Setting], settings: SettingsInForce) -> str:
    """Addresses and secrets are left out: where a server stands is not what was tested."""
    hidden = {setting.name for setting in declared if setting.secret or setting.env}
    parts = [str(settings[s.name]) for s in declared if s.name == "broker"]
    parts += [
        f"{key}={settings[key]}" for key in sorted(settings.changed) if key != "broker" and key not in hidden
    ]
    parts += [f"{key}={value}" for key, value in sorted(settings.raw.items())]
    if settings.config_class is not ConfigClass.CI:
        parts.append(str(settings.config_class))
    return f"{name}[{','.join(parts)}]" if parts else name


def _by_engine(texts: Sequence[str], option: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        key, value = _pair(text, option, "ENGINE.NAME=VALUE")
        engine, dot, name = key.partition(".")
        if not dot or not name:
            raise UsageError(f"{option} {text}: write it as ENGINE.NAME=VALUE")
        found.setdefault(engine, {})[name] = value
    return found


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals or not left or not right:
        raise UsageError(f"{option} {text}: write it as {form}")
    return left, right
