"""Declared settings of an engine, configuration classes, and what is in force after ``--set``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bakeoff.credentials import HIDDEN, hide_credentials, names_a_secret
from bakeoff.engine import Capability, Means, Survives
from bakeoff.errors import UnknownNameError, UsageError

#: No setting counts further: beyond it (68 years in seconds) servers refuse what they are told, or overflow.
MOST = 2**31 - 1

Value = str | int | float | bool | None
#: What an engine can, what its sagas survive, what its operator can do.
Promise = Capability | Survives | Means


class ConfigClass(StrEnum):
    """Where a set of values comes from."""

    DEFAULT = "default"  #: acks, leases, persistence, polling as shipped
    RECOMMENDED = "recommended"  #: leases derived from one step timeout T = 30 s by the engine's own guidance
    TUNED = "tuned"  #: `recommended`, and on top what a search found: ``bakeoff.tuned``
    CI = "ci"  #: short leases, for tests; never published as recommended


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting that ``--set ENGINE.NAME=VALUE`` knows.

    Attributes:
        name: Without the engine's prefix.
        help: What it does, with its unit.
        default, recommended, ci: The value of each configuration class (same type).
        choices: The only values allowed, if there are such.
        least: The smallest number allowed; ``None``: whole numbers from 1, others above 0. Say ``0`` where it
            means something.
        env: Environment variable that sets it (for addresses and secrets).
        secret: Never printed or stored.
        only: ``{other setting: value}`` with which alone this one has an effect; ``True`` and ``False`` mean
            that the other one is set at all, or is not.
        lease: Whether it decides how long lost work stays lost, so that a sweep has something to see.
        tries: Values that a search for a better configuration tries; empty: it leaves this one alone.
        shares_slots: The slots of one worker are shared among so many; a number that does not divide them is
            refused (``bakeoff.sharing``), and a search skips it.
        serves: What would be missing, late or weaker without it; empty: it serves none of these.
        tuning: It is there for speed or resources, and for no promise.
    """

    name: str
    help: str
    default: Value
    recommended: Value
    ci: Value
    choices: tuple[Value, ...] = ()
    least: float | None = None
    env: str | None = None
    secret: bool = False
    only: Mapping[str, Value] = field(default_factory=dict)
    lease: bool = False
    tries: tuple[Value, ...] = ()
    shares_slots: bool = False
    serves: tuple[Promise, ...] = ()
    tuning: bool = False

    def of(self, config_class: ConfigClass) -> Value:
        """The value of a class; what a search found for ``tuned`` is in no declaration."""
        base = ConfigClass.RECOMMENDED if config_class is ConfigClass.TUNED else config_class
        value: Value = getattr(self, base.value)
        return value


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """The values that one deployment runs with.

    Attributes:
        config_class: Where untouched values come from.
        values: ``{setting name: value}`` of every declared setting, of those without effect too.
        changed: Names that ``--set`` or the environment changed, as far as they have an effect.
        raw: ``{engine's own key: value}`` given by ``--set-raw``, passed through unchecked.
        secrets: Names whose values must not be shown.
        only: ``{setting name: its Setting.only}`` of those that have a condition.
    """

    config_class: ConfigClass
    values: Mapping[str, Value]
    changed: tuple[str, ...] = ()
    raw: Mapping[str, Value] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    only: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def applies(self, name: str) -> bool:
        """Whether this setting has an effect beside the others."""
        return not _unmet(self.only.get(name, {}), self.values)

    def shown(self) -> dict[str, Value]:
        """The values that have an effect and may be printed and stored, secrets as ``"***"``."""
        return {
            name: (HIDDEN if name in self.secrets and value else value)
            for name, value in self.values.items()
            if self.applies(name)
        }

    def shown_raw(self) -> dict[str, Value]:
        """``raw`` as it may be printed and stored; nobody declared which of its values are secret."""
        return {key: shown_raw(key, value) for key, value in self.raw.items()}

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, *with* secrets: for the worker's own file only."""
        return {
            "config_class": str(self.config_class),
            "values": dict(self.values),
            "changed": list(self.changed),
            "raw": dict(self.raw),
            "secrets": list(self.secrets),
            "only": {name: dict(others) for name, others in self.only.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SettingsInForce:
        """Reverse of ``to_json``."""
        return cls(
            config_class=ConfigClass(data["config_class"]),
            values=data["values"],
            changed=tuple(data["changed"]),
            raw=data["raw"],
            secrets=tuple(data["secrets"]),
            only=data["only"],
        )


def resolve(
    engine: str,
    declared: Sequence[Setting],
    config_class: ConfigClass,
    overrides: Mapping[str, str] | None = None,
    raw: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    tuned: Mapping[str, str] | None = None,
) -> SettingsInForce:
    """Combine class values, what a search found, environment variables and ``--set`` (strongest last).

    Args:
        engine: Name for messages.
        declared: What the engine knows.
        config_class: Which column of the declarations.
        overrides: ``{setting name: text}`` from ``--set``, without the engine's prefix.
        raw: ``{engine's own key: text}`` from ``--set-raw``.
        environ: Environment variables to look into; none if ``None``.
        tuned: ``{setting name: text}`` of class ``tuned``.

    Raises:
        UnknownNameError: For a setting that the engine does not declare.
        UsageError: For a value of the wrong type or outside the choices, and for one of ``overrides`` that
            would have no effect beside the others.
    """
    by_name = {setting.name: setting for setting in declared}
    values: dict[str, Value] = {s.name: s.of(config_class) for s in declared}
    changed: list[str] = []
    for name, found in (tuned or {}).items():
        if name not in by_name:
            raise UnknownNameError(f"--config tuned: {_unknown_setting(engine, name, sorted(by_name))}")
        values[name] = parse_value(found, by_name[name], f"--config tuned: {engine}.{name}={found}")
    for setting in declared:
        text = (environ or {}).get(setting.env) if setting.env else None
        if text:
            values[setting.name] = parse_value(text, setting, f"{setting.env}={_shown(text, setting)}")
            changed.append(setting.name)
    for name, text in (overrides or {}).items():
        if name not in by_name:
            raise UnknownNameError(_unknown_setting(engine, name, sorted(by_name)))
        values[name] = parse_value(text, by_name[name], _set(engine, by_name[name], text))
        changed.append(name)
    in_force = SettingsInForce(
        config_class=config_class,
        values=values,
        raw={key: _guess(text) for key, text in (raw or {}).items()},
        secrets=tuple(s.name for s in declared if s.secret),
        only={s.name: s.only for s in declared if s.only},
    )
    # A variable may be exported for another run; who types --set believes that it takes effect.
    for name, text in (overrides or {}).items():
        if not in_force.applies(name):
            raise UsageError(_without_effect(engine, by_name[name], text, values))
    return replace(in_force, changed=tuple(name for name in dict.fromkeys(changed) if in_force.applies(name)))


def shown_raw(key: str, value: Value) -> Value:
    """A ``--set-raw`` value as it may be shown."""
    if names_a_secret(key):
        return HIDDEN
    return hide_credentials(value) if isinstance(value, str) else value


def _unmet(only: Mapping[str, Value], values: Mapping[str, Value]) -> list[str]:
    """The other settings that stand in the way."""
    return [
        other
        for other, wanted in only.items()
        if (bool(values[other]) if isinstance(wanted, bool) else values[other]) != wanted
    ]


def condition(only: Mapping[str, Value], prefix: str = "") -> str:
    """``Setting.only`` in words: ``broker is valkey``; empty if there is none."""
    return " and ".join(f"{prefix}{other} {_is(wanted)}" for other, wanted in only.items())


def _is(value: Value) -> str:
    return f"is {'set' if value else 'not set'}" if isinstance(value, bool) else f"is {value}"


def _without_effect(engine: str, setting: Setting, text: str, values: Mapping[str, Value]) -> str:
    """What ``True`` and ``False`` ask about is not shown: it may be an address with a secret in it."""
    other = _unmet(setting.only, values)[0]
    wanted = setting.only[other]
    found = _is(bool(values[other]) if isinstance(wanted, bool) else values[other])
    return (
        f"{_set(engine, setting, text)} would have no effect, because {engine}.{other} {found}; "
        f"it applies only when {condition(setting.only, f'{engine}.')}"
    )


def _unknown_setting(engine: str, name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {engine}.{close[0]}?" if close else "."
    listed = ", ".join(f"{engine}.{item}" for item in known) or "(none)"
    return f"unknown setting {engine}.{name}{hint} Known settings: {listed}. Others pass with --set-raw."


def _set(engine: str, setting: Setting, text: str) -> str:
    return f"--set {engine}.{setting.name}={_shown(text, setting)}"


def _shown(text: str, setting: Setting) -> str:
    return HIDDEN if setting.secret and text else hide_credentials(text)


def parse_value(text: str, setting: Setting, where: str) -> Value:
    """Turn a text into the setting's type.

    Args:
        text: What the user wrote.
        setting: For which setting.
        where: Where it was written, as messages may show it.

    Raises:
        UsageError: If it is of another type, none of the choices, no finite number, or too small or large.
    """
    kind = next((type(v) for v in (setting.recommended, setting.default, setting.ci) if v is not None), str)
    value: Value
    try:
        if kind is bool:
            value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                text.lower()
            ]
        else:
            value = kind(text)
    except (ValueError, KeyError):
        raise UsageError(f"{where}: {_shown(text, setting)!r} is not {_KIND_WORDS[kind]}") from None
    if setting.choices and value not in setting.choices:
        allowed = ", ".join(str(choice) for choice in setting.choices)
        raise UsageError(f"{where}: allowed values are {allowed}")
    if kind in (int, float) and isinstance(value, int | float):
        objection = _out_of_range(value, setting, whole=kind is int)
        if objection:
            raise UsageError(f"{where}: {text} {objection}")
    return value


def _out_of_range(number: float, setting: Setting, *, whole: bool) -> str:
    """What is wrong with a number; empty if nothing is."""
    if not math.isfinite(number):
        return "is no finite number"
    if number < 0:
        return "is negative"
    if number > MOST:
        return f"is more than {MOST}"
    least = 1.0 if setting.least is None and whole else setting.least
    if least is None:
        return "" if number > 0 else "is not positive"
    return "" if number >= least else f"is less than {least:g}, the least that works"


_KIND_WORDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def _guess(text: str) -> Value:
    """The plainest reading of a raw value: true/false, number, else text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
