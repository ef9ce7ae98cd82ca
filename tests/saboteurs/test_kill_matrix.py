"""Every saboteur is caught by the test of the promise that it breaks; every contract test catches one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.saboteurs.around_real import HONEST_REAL
from tests.saboteurs.catalogue import BREAK_NOTHING, HONEST, HONEST_CLOCK, SABOTEURS
from tests.saboteurs.cover import ALSO_CAUGHT
from tests.saboteurs.runs import KillRun, Pair, contract_tests
from tests.tiers import more

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

#: The matrix: which saboteur which test must catch.
MATRIX: list[Pair] = [
    *((name, saboteur.caught_by) for name, saboteur in SABOTEURS.items() if name not in BREAK_NOTHING),
    *((name, test) for test, name in ALSO_CAUGHT.items()),
]
#: Tests that wait for a lease to end.
_LEASED = ("test_recovery", "test_survival")
_INLINE = [pair for pair in MATRIX if not SABOTEURS[pair[0]].real]
_REAL = [pair for pair in MATRIX if SABOTEURS[pair[0]].real and not pair[1].startswith(_LEASED)]
_RECOVERY = [pair for pair in MATRIX if SABOTEURS[pair[0]].real and pair[1].startswith(_LEASED)]
_PARTS = {
    **{f"inline-{part + 1}": _INLINE[part::12] for part in range(12)},
    **{f"real-{part + 1}": _REAL[part::3] for part in range(3)},
    # All pairs of one saboteur in one part: they share the engine that is killed.
    "recovery-celery": [pair for pair in _RECOVERY if pair[0].startswith("celery")],
    "recovery-others": [pair for pair in _RECOVERY if not pair[0].startswith("celery")],
}
#: Twice as long is longer than any lease of class ``ci``: nobody is caught for being slow.
_LEASED_PATIENCE_S = 12.0
#: The suite catches no one who does not cheat: tests of several kinds on an honest engine, same run.
_SPARED: list[Pair] = [
    (HONEST, "test_forward::test_all_steps_act_once_in_order"),
    (HONEST, "test_compensation::test_step_with_an_unknown_outcome_is_undone"),
    (HONEST, "test_signals::test_payload_of_a_signal_is_the_result_of_its_wait"),
    (HONEST, "test_cancel::test_cancel_mid_saga_compensates"),
    (HONEST, "test_outcome::test_the_engines_word_is_the_ledgers"),
    (HONEST_CLOCK, "test_schedules::test_each_period_starts_one_saga_with_its_id"),
    (HONEST_CLOCK, "test_schedules::test_period_starts_while_the_last_ones_saga_runs"),
]
_SPARED_RECOVERY: list[Pair] = [
    (HONEST_REAL, "test_recovery::test_crash_at_every_point_of_a_step[book_hotel.after_effect]"),
    (HONEST_REAL, "test_recovery::test_crash_at_every_point_of_an_undo[undo_book_hotel.before_effect]"),
    (HONEST_REAL, "test_recovery_broker::test_saga_goes_on_when_its_server_is_back[waiting]"),
    (HONEST_REAL, "test_recovery_deploy::test_saga_in_flight_ends_well_under_a_new_version[undoing]"),
]


def _spared(part: str) -> list[Pair]:
    if not part.startswith("recovery"):
        return _SPARED
    return _SPARED_RECOVERY if part == "recovery-others" else []


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, KillRun]]:
    """All parts that are tested at once: most of their time they wait for what a saboteur will never do."""
    calls = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    wanted = {call.params.get("part") for call in calls}
    started = {
        part: KillRun.start(
            [*pairs, *_spared(part)],
            tmp_path_factory.mktemp(f"kill-{part}"),
            *([_LEASED_PATIENCE_S] if part.startswith("recovery") else []),
        )
        for part, pairs in _PARTS.items()
        if part in wanted
    }
    yield started
    for run in started.values():
        run.popen.kill()
        run.popen.wait()


@pytest.mark.parametrize("part", [part if part == "inline-1" else more(part) for part in _PARTS])
def test_every_saboteur_is_caught(runs: Mapping[str, KillRun], part: str) -> None:
    found = runs[part].statuses(timeout_s=400)

    assert {pair: found.get(pair, ("not run", ""))[0] for pair in _PARTS[part]} == {
        pair: "failed" for pair in _PARTS[part]
    }
    spared = _spared(part)
    assert {pair: found.get(pair, ("not run", ""))[0] for pair in spared} == dict.fromkeys(spared, "passed")
    not_even_up = [pair for pair, (_, reason) in found.items() if "ServerStartError" in reason]
    assert not_even_up == []


def test_every_contract_test_catches_a_saboteur() -> None:
    assert sorted({test for _, test in MATRIX}) == sorted(contract_tests())


def test_three_saboteurs_are_around_real_engines() -> None:
    assert sum(saboteur.real for saboteur in SABOTEURS.values()) >= 3
