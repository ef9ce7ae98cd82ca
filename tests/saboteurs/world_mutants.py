"""Mutants of the World: services whose books do not tell what happened, whatever the engine does."""

from __future__ import annotations

_TIMEOUT = "test_timeout::test_late_finisher_has_no_effect_after_its_compensation"


def _after_insert(name: str, when: str, then: str) -> str:
    return f"CREATE TRIGGER {name} AFTER INSERT ON ledger WHEN {when} BEGIN {then} END"


_DELETE = "DELETE FROM ledger WHERE seq = NEW.seq;"

#: ``{name: (what the database does instead, the test that must notice)}``.
TRIGGERS: dict[str, tuple[str, str]] = {
    "forgets_tombstones": (_after_insert("m", "NEW.kind = 'tombstone'", _DELETE), _TIMEOUT),
    "forgets_attempts": (
        _after_insert("m", "NEW.kind = 'attempt'", _DELETE),
        "test_retry::test_exhausted_retries_end_the_forward_direction",
    ),
    "forgets_effects": (
        _after_insert("m", "NEW.kind = 'effect' AND NEW.direction = 'action'", _DELETE),
        "test_forward::test_all_steps_act_once_in_order",
    ),
    "forgets_undone_effects": (
        _after_insert("m", "NEW.kind = 'effect' AND NEW.direction = 'compensation'", _DELETE),
        "test_misbehaving_compensation::test_already_undone_counts_as_success",
    ),
    "calls_nothing_an_effect": (
        _after_insert("m", "NEW.kind = 'nothing'", "UPDATE ledger SET kind = 'effect' WHERE seq = NEW.seq;"),
        "test_compensation::test_faults_at_each_step_undo_it_and_the_steps_before_it_in_reverse[book_hotel]",
    ),
    "forgets_stored_results": (
        _after_insert("m", "NEW.kind = 'effect'", "UPDATE ledger SET result = 'null' WHERE seq = NEW.seq;"),
        "test_retry::test_unknown_outcome_retried_gets_the_stored_result_and_goes_on",
    ),
    "finds_no_key": (
        _after_insert("m", "NEW.kind = 'effect'", "UPDATE ledger SET key = key || seq WHERE seq = NEW.seq;"),
        "test_retry::test_unknown_outcome_retried_gets_the_stored_result_and_goes_on",
    ),
    "counts_every_attempt_as_the_first": (
        _after_insert("m", "NEW.kind = 'attempt'", "UPDATE ledger SET ordinal = 1 WHERE seq = NEW.seq;"),
        "test_retry::test_attempts_are_numbered_from_1",
    ),
}
