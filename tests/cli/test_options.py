"""From the texts of shared options to engines with settings in force."""

from __future__ import annotations

import pytest

from bakeoff.cli.options import check_ledger, choose_engines, choose_saga
from bakeoff.errors import UsageError
from bakeoff.orders import ORDER
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass


def test_no_name_and_all_mean_every_installed_engine() -> None:
    installed = Plugins().engine_names()

    assert [one.name for one in choose_engines(None)] == installed
    assert [one.name for one in choose_engines(["all"])] == installed


def test_names_keep_their_order_and_count_once() -> None:
    chosen = choose_engines(["temporal", "inline", "temporal"])

    assert [one.name for one in chosen] == ["temporal", "inline"]


def test_the_class_gives_the_values_and_set_overrides_them() -> None:
    (shipped,) = choose_engines(["temporal"], config=ConfigClass.DEFAULT, environ={})
    (changed,) = choose_engines(
        ["temporal"],
        config=ConfigClass.DEFAULT,
        sets=["temporal.poll_rps=7", "temporal.poll_rps=8"],
        raws=["temporal.frontend.rps=9", "temporal.some.flag=true"],
        environ={},
    )

    assert shipped.settings["database"] == changed.settings["database"] == "memory"
    assert (shipped.settings.changed, changed.settings.changed) == ((), ("poll_rps",))
    assert changed.settings["poll_rps"] == 8
    assert changed.settings.raw == {"frontend.rps": 9, "some.flag": True}


def test_the_environment_is_read_here_and_an_option_beats_it() -> None:
    environ = {"BAKEOFF_TEMPORAL_ADDRESS": "one:1", "BAKEOFF_TEMPORAL_API_KEY": "secret"}
    (by_environment,) = choose_engines(["temporal"], environ=environ)
    (by_option,) = choose_engines(["temporal"], sets=["temporal.address=two:2"], environ=environ)

    assert by_environment.settings["address"] == "one:1"
    assert by_option.settings["address"] == "two:2"
    assert by_environment.settings.shown()["api_key"] == "***"


def test_a_value_may_hold_equals_signs_and_dots() -> None:
    (chosen,) = choose_engines(["temporal"], sets=["temporal.address=a.b=c"], environ={})

    assert chosen.settings["address"] == "a.b=c"


def test_a_saga_of_ours_by_name_and_by_reference() -> None:
    assert choose_saga("order") == (ORDER, ("bakeoff.orders",))
    saga, references = choose_saga("bakeoff.orders:ORDER")
    assert saga is ORDER
    assert references == ("bakeoff.orders", "bakeoff.orders:ORDER")


def test_ledgers_that_can_be() -> None:
    for text in ("sqlite", "postgres", "sqlite:///some.db"):
        assert check_ledger(text) == text


def test_a_misspelt_driver_is_not_passed_on_to_sqlalchemy() -> None:
    with pytest.raises(UsageError, match="postgres"):
        check_ledger("postgresq://h/d")
