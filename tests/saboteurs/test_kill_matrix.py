"""Every saboteur is caught by the test of the promise that it breaks; every contract test catches one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.saboteurs.catalogue import HONEST, SABOTEURS
from tests.saboteurs.cover import ALSO_CAUGHT
from tests.saboteurs.runs import KillRun, Pair, contract_tests

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

#: The matrix: which saboteur which test must catch.
MATRIX: list[Pair] = [
    *((name, saboteur.caught_by) for name, saboteur in SABOTEURS.items() if name != HONEST),
    *((name, test) for test, name in ALSO_CAUGHT.items()),
]
_INLINE = [pair for pair in MATRIX if not SABOTEURS[pair[0]].real]
_REAL = [pair for pair in MATRIX if SABOTEURS[pair[0]].real]
_PARTS = {
    **{f"inline-{part + 1}": _INLINE[part::4] for part in range(4)},
    **{f"real-{part + 1}": _REAL[part::3] for part in range(3)},
}
#: The suite catches no one who does not cheat: tests of several kinds on an honest engine, same run.
_SPARED = [
    "test_forward::test_all_steps_act_once_in_order",
    "test_compensation::test_step_with_an_unknown_outcome_is_undone",
    "test_signals::test_payload_of_a_signal_is_the_result_of_its_wait",
    "test_cancel::test_cancel_mid_saga_compensates",
    "test_outcome::test_the_engines_word_is_the_ledgers",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, KillRun]]:
    """All parts at once: most of their time they wait for what a saboteur will never do."""
    started = {
        part: KillRun.start(
            [*pairs, *((HONEST, test) for test in _SPARED)], tmp_path_factory.mktemp(f"kill-{part}")
        )
        for part, pairs in _PARTS.items()
    }
    yield started
    for run in started.values():
        run.popen.kill()
        run.popen.wait()


@pytest.mark.parametrize("part", _PARTS)
def test_every_saboteur_is_caught(runs: Mapping[str, KillRun], part: str) -> None:
    found = runs[part].statuses(timeout_s=400)

    assert {pair: found.get(pair, ("not run", ""))[0] for pair in _PARTS[part]} == {
        pair: "failed" for pair in _PARTS[part]
    }
    assert {test: found.get((HONEST, test), ("not run", ""))[0] for test in _SPARED} == dict.fromkeys(
        _SPARED, "passed"
    )
    not_even_up = [pair for pair, (_, reason) in found.items() if "ServerStartError" in reason]
    assert not_even_up == []


def test_every_contract_test_catches_a_saboteur() -> None:
    assert sorted({test for _, test in MATRIX}) == sorted(contract_tests())


def test_three_saboteurs_are_around_real_engines() -> None:
    assert sum(saboteur.real for saboteur in SABOTEURS.values()) >= 3
