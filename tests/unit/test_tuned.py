"""Class ``tuned``: recommended, with what a search wrote into a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.settings import ConfigClass, Setting, resolve
from bakeoff.tuned import FILE, VARIABLE, Tuned, read_tuned, spelled_out

_DECLARED = (
    Setting(name="prefetch", help="messages", default=4, recommended=1, ci=1, tries=(1, 8)),
    Setting(name="eager", help="at once", default=False, recommended=False, ci=False),
    Setting(name="lease", help="seconds", default=3600.0, recommended=60.0, ci=5.0),
)
_GOOD = "format = 1\n[settings.celery]\nprefetch = 8\neager = true\n[evidence.celery]\nratio = 1.2\n"


def _read(tmp_path: Path, text: str) -> Tuned:
    file = tmp_path / "found.toml"
    file.write_text(text)
    return read_tuned({VARIABLE: str(file)})


def test_found_values_come_on_top_of_the_recommended_ones(tmp_path: Path) -> None:
    found = _read(tmp_path, _GOOD).of("celery", _DECLARED)
    in_force = resolve("celery", _DECLARED, ConfigClass.TUNED, {"lease": "30"}, tuned=found)

    assert dict(in_force.values) == {"prefetch": 8, "eager": True, "lease": 30.0}
    assert in_force.changed == ("lease",)
    assert in_force.config_class is ConfigClass.TUNED


def test_an_engine_without_anything_to_try_is_as_recommended(tmp_path: Path) -> None:
    tuned = _read(tmp_path, _GOOD)

    assert tuned.of("inline", _DECLARED[1:]) == {}
    assert tuned.knows("inline", _DECLARED[1:])
    assert not tuned.knows("dramatiq", _DECLARED)


def test_what_has_no_effect_any_more_is_not_repeated(tmp_path: Path) -> None:
    """Whoever is told to set it would be told that it has none."""
    declared = (
        *_DECLARED,
        Setting(name="window", help="n", default=1, recommended=1, ci=1, only={"eager": True}),
    )
    found = _read(tmp_path, "format = 1\n[settings.celery]\nwindow = 3\neager = true\n").of(
        "celery", declared
    )
    in_force = resolve("celery", declared, ConfigClass.TUNED, {"eager": "false"}, tuned=found)

    assert spelled_out(declared, in_force)[1] == {}


def test_set_is_stronger_than_what_was_found(tmp_path: Path) -> None:
    found = _read(tmp_path, _GOOD).of("celery", _DECLARED)

    assert resolve("celery", _DECLARED, ConfigClass.TUNED, {"prefetch": "2"}, tuned=found)["prefetch"] == 2


def test_somebody_without_the_file_can_say_the_same(tmp_path: Path) -> None:
    """What is printed for another machine, or to repeat a cell, names the values themselves."""
    found = _read(tmp_path, _GOOD).of("celery", _DECLARED)
    in_force = resolve("celery", _DECLARED, ConfigClass.TUNED, {"lease": "30"}, tuned=found)
    config_class, texts = spelled_out(_DECLARED, in_force)
    again = resolve("celery", _DECLARED, config_class, {**texts, "lease": "30"})

    assert texts == {"prefetch": "8", "eager": "true"}
    assert config_class is ConfigClass.RECOMMENDED
    assert again.values == in_force.values


def test_the_file_is_looked_for_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=rf"there is no {FILE}; `bakeoff tune` searches"):
        read_tuned({})
    (tmp_path / FILE).write_text(_GOOD)

    assert read_tuned({}).of("celery", _DECLARED) == {"prefetch": "8", "eager": "true"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("format = ", r"is no TOML"),
        ("format = 2\n", r"has format 2, and this bakeoff reads 1"),
        ("[settings.celery]\nprefetch = 8\n", r"has format None"),
        ("format = 1\nsettings = 3\n", r"must be a table of settings"),
        ("format = 1\n[settings]\ncelery = 3\n", r"must be a table of settings"),
        ("format = 1\n[settings.celery]\nprefetch = [1]\n", r"settings\.celery\.prefetch is no single value"),
        ("format = 1\n[settings.dramatiq]\n", r"says nothing about celery; `bakeoff tune --engine celery`"),
    ],
)
def test_a_file_that_is_none_of_ours(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        _read(tmp_path, text).of("celery", _DECLARED)


@pytest.mark.parametrize(
    ("found", "error", "reason"),
    [
        ({"prefech": "1"}, UnknownNameError, r"--config tuned: .*did you mean celery\.prefetch"),
        ({"prefetch": "many"}, UsageError, r"--config tuned: celery\.prefetch=many: 'many' is not a whole"),
    ],
)
def test_a_value_that_the_engine_does_not_know(
    found: dict[str, str], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        resolve("celery", _DECLARED, ConfigClass.TUNED, tuned=found)
