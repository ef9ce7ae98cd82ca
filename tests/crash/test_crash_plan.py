"""The plan of a crash run follows from what was asked for and the seed, today and when it is resumed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.business import ONBOARDING_DAYS
from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.orders import ORDER
from bakeoff.settings import ConfigClass
from bakeoff_bench.crash.asked import Asked
from bakeoff_bench.crash.contestants import Options, find_contestants
from bakeoff_bench.crash.folder import CrashFolder, is_crash_folder
from bakeoff_bench.crash.manifest import commands_of, manifest_of
from bakeoff_bench.crash.plan import Series
from bakeoff_bench.crash.profiles import Part, Profile, parts_of
from bakeoff_bench.sweep.grid import grid, parse_vary

_POINTS = ("charge_payment.after_effect", "refund_payment.before_effect")
_PART = Part(config=ConfigClass.RECOMMENDED, faults=("worker-kill",), points=_POINTS, kills=2, deadline_s=60)
_ASKED = Asked(
    saga="order",
    options=Options(engines=("inline", "dramatiq"), brokers=("valkey",)),
    parts=[_PART],
    seed=7,
    lanes=2,
    participants="idempotent",
)


def test_what_was_asked_for_survives_the_manifest() -> None:
    assert Asked.from_json(json.loads(json.dumps(_ASKED.to_json()))) == replace(_ASKED, varied=[{}])


def test_same_seed_makes_the_same_shots_and_another_one_others() -> None:
    plan = _ASKED.plan()
    faults = plan.series[0].faults

    assert plan.shots(0, faults) == _ASKED.plan().shots(0, faults)
    assert plan.shots(0, faults) != replace(_ASKED, seed=8).plan().shots(0, faults)


def test_every_pass_goes_through_every_point_and_no_order_is_struck_twice() -> None:
    plan = replace(_ASKED, parts=[replace(_PART, kills=300)]).plan()
    shots = plan.shots(0, plan.series[0].faults)

    assert len(shots) == 600
    for first in range(0, 600, 2):
        assert {shot.point for shot in shots[first : first + 2]} == set(_POINTS)
    ids = [order.order_id for shot in shots for order in shot.orders]
    assert len(ids) == len(set(ids))


def test_the_full_profile_is_what_it_says() -> None:
    parts = parts_of(Profile.FULL, ORDER, "in-process")
    every, windows, others, shipped = replace(_ASKED, parts=parts).plan().series

    assert (every.kills, len(every.points) >= 21, [f.name for f in every.faults]) == (
        5,
        True,
        ["worker-kill"],
    )
    assert windows.points
    assert not {*windows.points} & {*every.points}, "each engine's own"
    assert "worker-kill" not in {fault.name for fault in others.faults}
    assert (others.kills, len(others.points)) == (2, 2)
    assert (shipped.title, shipped.deadline_s) == ("as shipped", 30)
    assert "inline" not in {one.label for one in shipped.contestants}, "it is recommended as it is shipped"


@pytest.mark.parametrize("profile", [Profile.CI, Profile.QUICK])
def test_short_profiles_strike_a_service_once_where_there_is_a_bridge(profile: Profile) -> None:
    without = replace(_ASKED, parts=parts_of(profile, ORDER, "in-process")).plan()
    with_it = replace(_ASKED, parts=parts_of(profile, ORDER, "nats"), bridge="nats").plan()

    assert [_what(one) for one in with_it.series[:-1]] == [_what(one) for one in without.series]
    assert _what(with_it.series[-1]) == (["service-kill"], ["charge_payment.command_done"], 1)
    assert with_it.expected_seconds({}) > without.expected_seconds({})
    assert not any("service" in name for one in without.series for name in _what(one)[0])


def test_the_full_profile_strikes_services_and_the_bridge_where_there_is_one() -> None:
    parts = parts_of(Profile.FULL, ORDER, "nats")
    every, windows, others, _, services, rest = replace(_ASKED, parts=parts, bridge="nats").plan().series
    behind = {"service-kill", "service-away", "service-pause", "bridge-kill"}

    assert not {point for one in (every, windows) for point in one.points if ".command_" in point}
    assert not behind & {fault.name for fault in others.faults}, "each fault where it means something"
    assert [fault.name for fault in services.faults] == ["service-kill"]
    assert {f"charge_payment.command_{what}" for what in ("taken", "done", "answered")} <= {*services.points}
    assert "refund_payment.command_done" in services.points
    assert {*_POINTS} <= {*services.points}, "a service that is gone before it is asked"
    assert {fault.name for fault in rest.faults} == behind - {"service-kill"}
    assert {*rest.points} == {*_POINTS, "charge_payment.command_taken", "charge_payment.command_done"}
    assert (services.kills, rest.kills) == (2, 2)


def test_a_service_that_dies_costs_no_lease() -> None:
    """What is announced must not be hours where nobody waits for a worker's lease."""
    part = replace(_PART, faults=("service-kill",), points=("charge_payment.command_done",))
    services = replace(_ASKED, parts=[part], bridge="nats").plan()
    leases = {"dramatiq[valkey] over nats": 600.0, "inline over nats": None}

    assert services.expected_seconds(leases) == services.expected_seconds({})


def test_a_profile_fits_a_process_that_charges_nothing() -> None:
    """``bakeoff crash --saga onboarding-days`` needs no ``--point``."""
    parts = parts_of(Profile.FULL, ONBOARDING_DAYS, "nats")
    plan = replace(_ASKED, saga="onboarding-days", parts=parts, bridge="nats").plan()

    assert "send_verification.after_effect" in plan.series[2].points
    assert "deprovision_account.before_effect" in plan.series[2].points
    assert "send_verification.command_taken" in plan.series[-1].points


def _what(series: Series) -> tuple[list[str], list[str], int]:
    return [fault.name for fault in series.faults], list(series.points), series.kills


def test_short_leases_change_leases_and_nothing_else() -> None:
    (own,) = find_contestants(Options(engines=("dramatiq",), brokers=("valkey",)), ConfigClass.RECOMMENDED)
    (short,) = find_contestants(
        Options(engines=("dramatiq",), brokers=("valkey",), short_leases=True), ConfigClass.RECOMMENDED
    )
    changed = {name for name, value in short.settings.values.items() if value != own.settings.values[name]}

    assert changed == {"heartbeat_timeout_s"}
    assert short.label == own.label


def test_a_lease_that_was_set_stays_as_it_was_set() -> None:
    options = Options(engines=("dramatiq",), sets=("dramatiq.heartbeat_timeout_s=33",), short_leases=True)

    valkey, rabbitmq = find_contestants(options, ConfigClass.RECOMMENDED)

    assert valkey.settings["heartbeat_timeout_s"] == 33
    assert rabbitmq.sets == ("dramatiq.broker=rabbitmq",), "it has no such lease"


def test_what_is_acknowledged_before_it_runs_has_no_lease_to_wait_for() -> None:
    """Or a saga that is lost would pass for one whose time has not come yet."""
    (early,) = find_contestants(Options(engines=("celery",), brokers=("valkey",)), ConfigClass.DEFAULT)
    late = Options(engines=("celery",), brokers=("valkey",), sets=("celery.task_acks_late=true",))
    (shipped,) = find_contestants(late, ConfigClass.DEFAULT)

    assert (early.lease_s, shipped.lease_s) == (None, 3600)


def test_only_who_waits_long_gets_more_stacks() -> None:
    plan = replace(_ASKED, copies=4).plan()
    by_label = {one.label: one for one in plan.series[0].contestants}

    assert plan.copies_of(by_label["inline"], 100) == 1
    assert plan.copies_of(by_label["dramatiq[valkey]"], 100) == 4
    assert plan.copies_of(by_label["dramatiq[valkey]"], 3) == 3, "no more than there are shots"
    leases = {"dramatiq[valkey]": 60.0, "inline": None}
    assert plan.expected_seconds(leases) < _ASKED.plan().expected_seconds(leases) / 2


def test_a_setting_of_a_stranger_is_complained_of() -> None:
    with pytest.raises(UsageError, match="celery is not in use here"):
        find_contestants(Options(engines=("dramatiq",), sets=("celery.pool=solo",)), ConfigClass.RECOMMENDED)


def test_engines_with_a_choice_stand_there_once_for_each_broker() -> None:
    options = Options(engines=("dramatiq", "inline"), brokers=("valkey", "rabbitmq"))

    labels = [one.label for one in find_contestants(options, ConfigClass.RECOMMENDED)]

    assert labels == ["dramatiq[valkey]", "dramatiq[rabbitmq]", "inline"]


def test_a_varied_setting_without_effect_on_a_broker_is_left_out_there() -> None:
    options = Options(engines=("dramatiq",), brokers=("valkey", "rabbitmq"))
    varied = grid(parse_vary(["heartbeat_timeout_s=2,5"], ["dramatiq"]))

    labels = [one.label for one in find_contestants(options, ConfigClass.RECOMMENDED, varied)]

    assert labels == [
        "dramatiq[valkey, heartbeat_timeout_s=2]",
        "dramatiq[valkey, heartbeat_timeout_s=5]",
        "dramatiq[rabbitmq]",
    ]


def test_grid_varies_each_engine_for_itself() -> None:
    vary = parse_vary(["celery.a=1,2", "celery.b=x,y", "temporal.c=9"], ["celery", "temporal"])

    assert len(grid(vary)) == 5


@pytest.mark.parametrize(
    ("text", "engines", "message"),
    [
        ("visibility_timeout", ["celery"], "write --vary NAME=VALUE,VALUE"),
        ("visibility_timeout=2,", ["celery"], "write --vary NAME=VALUE,VALUE"),
        ("visibility_timeout=2,2", ["celery"], "a value is there twice"),
        ("visibility_timeout=2", ["celery", "temporal"], "say whose setting it is"),
        ("dramatiq.x=2", ["celery"], "dramatiq is not in use here"),
        ("x=" + ",".join(map(str, range(65))), ["celery"], "65 combinations"),
    ],
)
def test_vary_that_cannot_be(text: str, engines: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        grid(parse_vary([text], engines))


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"no such fault\. worker-kill"):
        replace(_ASKED, parts=[replace(_PART, faults=("meteor",))]).plan()
    with pytest.raises(UsageError, match="--broker kafka: there is no such broker; known: rabbitmq, valkey"):
        replace(_ASKED, options=Options(engines=("dramatiq",), brokers=("kafka",))).plan()


def test_the_command_that_makes_a_kill_again_names_a_saga_of_ones_own_with_its_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs" / "examples"))
    part = replace(_PART, points=("create_account.before_effect",))
    own = replace(_ASKED, saga="onboarding:ONBOARDING", parts=[part])
    ours = replace(_ASKED, saga="order-approval")

    for asked, word in ((own, "--saga onboarding:ONBOARDING"), (ours, "--saga order-approval")):
        assert f" {word} " in commands_of(manifest_of(asked, asked.plan()))["inline"]
    assert "--saga" not in commands_of(manifest_of(_ASKED, _ASKED.plan()))["inline"]


def test_a_torn_last_line_is_cut_off_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    folder = CrashFolder.create(tmp_path / "run")
    folder.write_manifest(manifest_of(_ASKED, _ASKED.plan()))
    row = {"series": 0, "contestant": "inline", "fault": "worker-kill", "point": _POINTS[0]}
    folder.append({**row, "outcome": "lost", "workflow_ids": []})
    file = tmp_path / "run" / "kills.jsonl"
    with file.open("a") as torn:
        torn.write('{"series": 0, "contes')

    assert len(folder.rows()) == 1
    assert is_crash_folder(folder.path)
    folder.append({**row, "outcome": "clean", "workflow_ids": []})
    assert [one["outcome"] for one in folder.rows()] == ["lost", "clean"]
    file.write_text("{}\n" + file.read_text())
    with pytest.raises(UsageError, match=r"kills\.jsonl is damaged: a kill has no 'series'"):
        folder.rows()
