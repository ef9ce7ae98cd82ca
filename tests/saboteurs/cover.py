"""Which saboteur proves of a contract test that it can fail, where it is nobody's ``caught_by``."""

from __future__ import annotations

_CANCEL, _COMPENSATION, _FORWARD = (
    "test_cancel::test_cancel_",
    "test_compensation::test_",
    "test_forward::test_",
)
_DECLINE = f"{_COMPENSATION}decline_at_each_step_undoes_the_steps_before_it_in_reverse"
_FAULT = f"{_COMPENSATION}faults_at_each_step_undo_it_and_the_steps_before_it_in_reverse"
_MISBEHAVING = "test_misbehaving_compensation::test_"
_GIVES_UP = f"{_MISBEHAVING}compensation_that_gives_up_does_not_stop_the_others"
_AFTER = "test_pivot::test_faults_after_the_pivot_are_retried_and_nothing_is_compensated"
_PIVOT, _TIMEOUT, _OUTCOME = "test_pivot::test_", "test_timeout::test_", "test_outcome::test_cause_of_"
_OBSERVE, _START, _SIGNALS = "test_observe::test_", "test_start::test_starting_", "test_signals::test_"

_CONDITIONS, _ESCALATION = "test_conditions::test_", "test_escalation::test_"

_STEP = "test_recovery::test_crash_at_every_point_of_a_step"
_UNDO = "test_recovery::test_crash_at_every_point_of_an_undo"
_DOUBTFUL = "test_recovery::test_step_declined_after_its_process_died_is_undone"
_BROKER = "test_recovery_broker::test_saga_goes_on_when_its_server_is_back"
_DEPLOY = "test_recovery_deploy::test_saga_in_flight_ends_well_under_a_new_version"
_ZOMBIE = "test_recovery_zombie::test_worker_that_comes_back_from_the_dead"
_HANDING_OVER = "test_recovery_escalation::test_crash_on_the_way_to_an_escalation"
_FORGOTTEN = ("undo_hasty", "before_effect")
_EARLY, _FORGETFUL = "celery_acknowledges_before_it_acts", "dramatiq_forgets_undos_that_died"
_DEAF, _REFUSING = (
    "dramatiq_never_looks_for_its_broker_again",
    "dramatiq_refuses_sagas_of_an_earlier_version",
)
_STEPS = ("book_flight", "book_hotel", "book_car", "send_itinerary")
_POINTS = ("between_steps", "before_effect", "after_effect")

#: The recovery tests: one fault strikes a saga at every point, so one saboteur loses all of them.
_RECOVERY = {
    **{f"{_STEP}[{step}.{point}]": _EARLY for step in _STEPS for point in _POINTS},
    **{
        f"{_UNDO}[undo_{step}.{point}]": _FORGETFUL if point == "before_effect" else _EARLY
        for step in _STEPS[:3]
        for point in _POINTS
        if (step, point) != ("book_hotel", "before_effect")
    },
    f"{_DOUBTFUL}[book_car.before_effect, then declined]": "dramatiq_forgets_attempts_that_died",
    **{
        f"{_HANDING_OVER}[{where}.{point}]": _FORGETFUL if (where, point) == _FORGOTTEN else _EARLY
        for where in ("undo_hasty", "patient")
        for point in _POINTS
    },
    "test_recovery::test_crash_in_the_engines_own_windows": _EARLY,
    "test_recovery::test_death_of_a_pool_child_at_every_point": _EARLY,
    **{
        f"{_BROKER}[{where}]": _DEAF
        for where in ("before an effect", "after an effect", "in an undo", "in a retry", "sleeping")
    },
    f"{_BROKER}[waiting]": "celery_loses_the_brokers_data",
    **{
        f"{_DEPLOY}[{where}]": _REFUSING
        for where in ("acting, declined later", "waiting", "waiting, declined later", "sleeping")
    },
    **{
        f"{_ZOMBIE}[{where}]": "dramatiq_acts_without_keys"
        for where in ("after an effect", "before an effect, undone later", "before an undo", "after an undo")
    },
}

#: ``{contract test: saboteur}``.
ALSO_CAUGHT = {
    **_RECOVERY,
    f"{_ESCALATION}cancel_on_an_escalation_compensates_what_succeeded": (
        "forgets_what_was_before_an_escalation"
    ),
    f"{_ESCALATION}cancel_during_the_undo_begins_no_escalation": "ignores_cancels",
    f"{_CANCEL}between_retries_compensates": "notices_cancels_at_the_end",
    f"{_CANCEL}while_sleeping_compensates": "ignores_cancels",
    f"{_CANCEL}while_waiting_compensates": "ignores_cancels",
    f"{_CANCEL}after_the_pivot_is_too_late": "cancels_at_and_after_the_pivot",
    f"{_DECLINE}[book_flight]": "retries_declines",
    f"{_FAULT}[book_flight]": "forgets_to_undo_the_faulted_step",
    f"{_FAULT}[book_car]": "compensates_forwards",
    f"{_COMPENSATION}saga_that_failed_at_once_is_compensated": "calls_compensated_completed",
    f"{_COMPENSATION}saga_of_100_steps_is_undone": "skips_a_compensation",
    f"{_FORWARD}input_need_not_be_an_object[null]": "wraps_inputs",
    f"{_FORWARD}input_need_not_be_an_object[text]": "wraps_inputs",
    f"{_FORWARD}input_need_not_be_an_object[list]": "wraps_inputs",
    f"{_MISBEHAVING}flaky_compensation_is_retried[book_car]": "never_retries_compensations",
    f"{_MISBEHAVING}flaky_compensation_is_retried[book_flight]": "never_retries_compensations",
    f"{_GIVES_UP}[book_hotel]": "stops_at_the_first_failed_compensation",
    f"{_GIVES_UP}[book_flight]": "calls_compensation_failed_compensated",
    f"{_MISBEHAVING}declined_compensation_is_retried": "never_retries_compensations",
    f"{_MISBEHAVING}compensation_that_times_out_is_retried": "never_retries_compensations",
    f"{_OBSERVE}describe_tells_the_last_error": "describes_nothing",
    f"{_OBSERVE}describe_tells_what_is_awaited": "describes_nothing",
    f"{_OBSERVE}describe_tells_the_outcome": "describes_nothing",
    f"{_OBSERVE}event_history_of_an_unknown_saga": "invents_histories",
    f"{_OUTCOME}exhausted_retries": "loses_the_cause",
    f"{_OUTCOME}a_result_that_is_no_json": "loses_the_cause",
    f"{_OUTCOME}a_timeout": "loses_the_cause",
    f"{_CONDITIONS}saga_settles_whatever_is_left_out[none]": "ignores_conditions",
    f"{_CONDITIONS}saga_settles_whatever_is_left_out[first]": "ignores_conditions",
    f"{_CONDITIONS}saga_settles_whatever_is_left_out[last]": "ignores_conditions",
    f"{_CONDITIONS}nothing_is_compensated_where_nothing_acted": "compensates_what_was_left_out",
    f"{_CONDITIONS}wait_that_is_due_waits": "takes_every_condition_for_unmet",
    f"{_CONDITIONS}reminder_is_sent_when_nobody_answered": "takes_every_condition_for_unmet",
    f"{_CONDITIONS}repeated_answer_finds_the_wait_that_took_it": "counts_repeated_signals",
    "test_parallel::test_all_members_are_done_before_the_saga_goes_on": "does_not_wait_for_siblings",
    "test_parallel::test_a_group_starts_only_after_the_step_before_it": "starts_the_next_step_early",
    f"{_PIVOT}faults_at_the_pivot_are_retried_beyond_its_policy": "knows_no_pivot",
    f"{_AFTER}[send_itinerary]": "knows_no_pivot",
    f"{_PIVOT}unfinished_step_after_the_pivot_is_neither_given_up_nor_undone": "knows_no_pivot",
    "test_generated::test_generated_sagas_end_as_the_model_says[plain]": "loses_the_compensation",
    "test_generated::test_generated_sagas_end_as_the_model_says[groups]": "undoes_declined_members",
    "test_generated::test_generated_sagas_end_as_the_model_says[pivots]": "knows_no_pivot",
    "test_generated::test_generated_sagas_end_as_the_model_says[timers]": "retries_once_too_often",
    "test_generated::test_generated_sagas_end_as_the_model_says[conditions]": "ignores_conditions",
    "test_generated::test_generated_sagas_end_as_the_model_says[escalations]": "never_escalates",
    "test_retry::test_decline_after_a_fault_is_not_retried": "retries_declines",
    "test_retry::test_one_attempt_means_no_retry": "retries_once_too_often",
    f"{_SIGNALS}second_signal_for_the_same_wait_is_rejected": "swallows_late_signals",
    f"{_SIGNALS}signal_after_its_wait_is_rejected": "swallows_late_signals",
    f"{_START}with_another_input_after_its_end_is_a_conflict": "accepts_conflicting_starts",
    f"{_START}another_saga_under_the_same_id_is_a_conflict": "accepts_conflicting_starts",
    f"{_TIMEOUT}attempt_is_ended_at_its_timeout": "ignores_timeouts",
    f"{_TIMEOUT}step_that_always_times_out_is_compensated_itself": "forgets_to_undo_the_faulted_step",
    f"{_TIMEOUT}effect_before_the_timeout_is_undone": "forgets_to_undo_the_faulted_step",
    "test_timers::test_timer_starts_after_the_step_before_it": "starts_the_next_step_early",
    "test_timers::test_timer_of_thirty_days": "sleeps_at_most_half_a_second",
    "test_wait_timeout::test_signal_after_the_timeout_is_rejected": "swallows_late_signals",
}
