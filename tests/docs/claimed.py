"""What engines declare with which settings, for ``docs/capabilities.md`` and ``docs/engines``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from bakeoff.engine import Capability, EngineInfo, Means, OrchestrationEngine, Support, Survives
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, Setting, Value, resolve

ENGINES = ("temporal", "celery", "dramatiq", "celery-sagalog", "choreography", "inline")
#: Those of a person who uses an engine; ``ci`` is for tests.
CLASSES = (ConfigClass.DEFAULT, ConfigClass.RECOMMENDED)

Promise = Capability | Survives | Means


@cache
def _plugin(engine: str) -> OrchestrationEngine:
    return Plugins().engine(engine)


def settings_of(engine: str) -> Mapping[str, Setting]:
    """``{name: setting}`` that the engine declares."""
    return {setting.name: setting for setting in _plugin(engine).info().settings}


def brokers_of(engine: str) -> tuple[str, ...]:
    """Values of the setting ``broker``; one empty word where there is no such setting."""
    broker = settings_of(engine).get("broker")
    return tuple(map(str, broker.choices)) if broker is not None else ("",)


def told(
    engine: str,
    broker: str,
    config_class: ConfigClass = ConfigClass.RECOMMENDED,
    changed: Mapping[str, str] | None = None,
) -> EngineInfo:
    """What the engine says of itself with these settings."""
    chosen = {**({"broker": broker} if broker else {}), **(changed or {})}
    plugin = _plugin(engine)
    return plugin.info(resolve(engine, plugin.info().settings, config_class, chosen))


def support(info: EngineInfo, promise: Promise) -> Support:
    """How it is reached; what sagas survive is the engine's own, or absent."""
    if isinstance(promise, Survives):
        return Support.NATIVE if promise in info.survives else Support.ABSENT
    claim = info.claims.get(promise) if isinstance(promise, Capability) else info.means.get(promise)
    return claim.support if claim is not None else Support.ABSENT


def absent(info: EngineInfo) -> set[Promise]:
    """Everything that it does not declare."""
    every: tuple[Promise, ...] = (*Capability, *Survives, *Means)
    return {one for one in every if support(info, one) is Support.ABSENT}


def variations(engine: str, broker: str) -> Iterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """``(what is changed, settings before, settings after)``: every setting at every other value in turn.

    What a setting needs to have an effect is set before, too.
    """
    declared = settings_of(engine)
    for name, setting in declared.items():
        if name == "broker" or setting.only.get("broker", broker) != broker:
            continue
        before = {
            other: _text(declared[other], value)
            for other, value in setting.only.items()
            if other != "broker" and value is not False
        }
        for value in _others(setting):
            text = _text(setting, value)
            yield f"{name}={text}", before, {**before, name: text}


def _others(setting: Setting) -> list[Value]:
    recommended = setting.recommended
    if isinstance(recommended, bool):
        return [not recommended]
    if recommended in (None, ""):
        return [True]
    found = dict.fromkeys((setting.default, setting.ci, *setting.choices, *setting.tries))
    return [value for value in found if value != recommended]


def _text(setting: Setting, value: Value) -> str:
    """As ``--set`` takes it; ``True`` of an address or a file: any."""
    if isinstance(value, bool):
        return str(value).lower() if isinstance(setting.recommended, bool) else "theirs"
    return str(value)
