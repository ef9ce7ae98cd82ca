"""Every saboteur: an engine that breaks one promise, and the contract test that must notice.

pytest finds one as ``--engine-plugin NAME=tests.saboteurs.catalogue:NAME``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bakeoff.engine import Capability, Claim, OrchestrationEngine, Support
from bakeoff.hookspecs import hookimpl
from tests.saboteurs import backward, branches, clients, forward, schedules, world_mutants
from tests.saboteurs.around_inline import SaboteurEngine
from tests.saboteurs.around_real import HONEST_REAL, REAL


@dataclass(frozen=True)
class Saboteur:
    """A plug-in.

    Attributes:
        make: Returns the engine.
        caught_by: The test of the promise that it breaks, as the matrix names it.
        real: Whether it is around a real engine with real workers.
        has_broker: Whether that engine has a choice of brokers, so that the matrix names the one in force.
    """

    make: Callable[[], OrchestrationEngine]
    caught_by: str
    real: bool = False
    has_broker: bool = False

    @hookimpl
    def bakeoff_engine(self) -> OrchestrationEngine:
        return self.make()


def _execution(cheat: type, caught_by: str) -> Saboteur:
    return Saboteur(lambda: SaboteurEngine(execution=cheat), caught_by)


def _client(cheat: type, caught_by: str) -> Saboteur:
    return Saboteur(lambda: SaboteurEngine(client=cheat), caught_by)


def _clock(cheat: type, caught_by: str) -> Saboteur:
    return Saboteur(lambda: SaboteurEngine(client=cheat, claims=_SCHEDULES), caught_by)


def _participant(cheat: type, caught_by: str) -> Saboteur:
    return Saboteur(lambda: SaboteurEngine(participant=cheat), caught_by)


def _mutant(trigger: str, caught_by: str) -> Saboteur:
    return Saboteur(lambda: SaboteurEngine(triggers=(trigger,)), caught_by)


_HISTORY = {Capability.EVENT_HISTORY: Claim(Support.NATIVE, "claimed by a saboteur")}
_SCHEDULES = {Capability.SCHEDULES: Claim(Support.NATIVE, "claimed by a saboteur")}
_DECLINE = "test_compensation::test_decline_at_each_step_undoes_the_steps_before_it_in_reverse"
_FAULT = "test_compensation::test_faults_at_each_step_undo_it_and_the_steps_before_it_in_reverse"
_GIVES_UP = "test_misbehaving_compensation::test_compensation_that_gives_up_does_not_stop_the_others"
#: Those that break nothing.
HONEST, HONEST_CLOCK = "honest", "honest_by_the_clock"
BREAK_NOTHING = (HONEST, HONEST_CLOCK, HONEST_REAL)

SABOTEURS: dict[str, Saboteur] = {
    # forward
    "runs_steps_twice": _execution(forward.RunsStepsTwice, "test_forward::test_all_steps_act_once_in_order"),
    "starts_the_next_step_early": _execution(
        forward.StartsTheNextStepEarly,
        "test_forward::test_a_step_starts_only_after_the_one_before_succeeded",
    ),
    "loses_results": _participant(
        forward.LosesResults, "test_forward::test_results_of_earlier_steps_are_visible"
    ),
    "keeps_results_of_two_sagas_together": _execution(
        forward.KeepsResultsOfTwoSagasTogether, "test_forward::test_fifty_sagas_at_once"
    ),
    "wraps_inputs": _participant(
        forward.WrapsInputs, "test_forward::test_input_need_not_be_an_object[number]"
    ),
    "spoils_text": _participant(
        forward.SpoilsText, "test_forward::test_input_arrives_unchanged_at_every_step"
    ),
    "cuts_payloads": _participant(forward.CutsPayloads, "test_forward::test_payload_of_100_kb"),
    "stops_after_sixty_four_steps": _execution(
        forward.StopsAfterSixtyFourSteps, "test_forward::test_saga_of_100_steps"
    ),
    "loses_every_tenth_saga": _execution(
        forward.LosesEveryTenthSaga, "test_forward::test_fifty_sagas_at_once"
    ),
    "skips_steps_without_compensation": _execution(
        forward.SkipsStepsWithoutCompensation,
        "test_forward::test_steps_without_compensation_are_ordinary_steps",
    ),
    # retries
    "never_retries": _execution(
        forward.NeverRetries, "test_retry::test_transient_fault_is_retried_until_it_succeeds"
    ),
    "retries_once_too_often": _execution(
        forward.RetriesOnceTooOften, "test_retry::test_exhausted_retries_end_the_forward_direction"
    ),
    "has_one_policy_for_all_steps": _execution(
        forward.HasOnePolicyForAllSteps, "test_retry::test_each_step_has_its_own_number_of_attempts"
    ),
    "ignores_backoff": _execution(
        forward.IgnoresBackoff, "test_retry::test_backoff_grows_by_each_steps_own_policy"
    ),
    "retries_declines": _execution(forward.RetriesDeclines, "test_retry::test_decline_is_not_retried"),
    "retries_unserialisable_results": _execution(
        forward.RetriesUnserialisableResults, "test_retry::test_result_that_is_no_json_is_final"
    ),
    "counts_attempts_from_zero": _participant(
        forward.CountsAttemptsFromZero, "test_retry::test_attempts_are_numbered_from_1"
    ),
    # timeouts
    "ignores_timeouts": _execution(
        forward.IgnoresTimeouts, "test_timeout::test_step_that_times_out_is_retried"
    ),
    "has_one_timeout_for_all_steps": _execution(
        forward.HasOneTimeoutForAllSteps, "test_timeout::test_step_within_its_timeout_is_left_alone"
    ),
    # pivot
    "knows_no_pivot": _execution(
        forward.KnowsNoPivot,
        "test_pivot::test_faults_after_the_pivot_are_retried_and_nothing_is_compensated[issue_ticket]",
    ),
    "takes_no_for_no_answer_at_the_pivot": _execution(
        forward.TakesNoForNoAnswerAtThePivot, "test_pivot::test_decline_at_the_pivot_is_compensated"
    ),
    "accepts_declines_after_the_pivot": _execution(
        forward.AcceptsDeclinesAfterThePivot, "test_pivot::test_decline_after_the_pivot_is_retried"
    ),
    "forgets_to_undo_a_faulted_pivot": _execution(
        forward.ForgetsToUndoAFaultedPivot,
        "test_pivot::test_decline_at_the_pivot_after_a_fault_undoes_the_pivot_too",
    ),
    "undoes_nothing_in_a_saga_with_a_pivot": _execution(
        forward.UndoesNothingInASagaWithAPivot, "test_pivot::test_failure_before_the_pivot_is_compensated"
    ),
    # groups
    "runs_groups_one_after_the_other": _execution(
        forward.RunsGroupsOneAfterTheOther, "test_parallel::test_members_act_at_once"
    ),
    "does_not_wait_for_siblings": _execution(
        forward.DoesNotWaitForSiblings,
        "test_parallel::test_a_declined_member_waits_for_its_siblings_before_compensation",
    ),
    "retries_whole_groups": _execution(
        forward.RetriesWholeGroups, "test_parallel::test_a_member_is_retried_alone"
    ),
    "undoes_the_step_before_a_group_first": _execution(
        forward.UndoesTheStepBeforeAGroupFirst,
        "test_parallel::test_a_failure_after_the_group_undoes_all_members_first",
    ),
    "undoes_declined_members": _execution(
        forward.UndoesDeclinedMembers, "test_parallel::test_several_members_fail"
    ),
    "forgets_whose_undo_in_a_group_failed": _execution(
        forward.ForgetsWhoseUndoInAGroupFailed,
        "test_parallel::test_a_members_compensation_that_gives_up_is_named",
    ),
    # timers and waits
    "sleeps_half_the_time": _execution(
        forward.SleepsHalfTheTime, "test_timers::test_timer_is_neither_early_nor_twice"
    ),
    "sleeps_at_most_half_a_second": _execution(
        forward.SleepsAtMostHalfASecond, "test_timers::test_timer_longer_than_the_lease"
    ),
    "wakes_up_twice": _execution(forward.WakesUpTwice, "test_timers::test_timer_is_neither_early_nor_twice"),
    "sleeps_in_a_slot": _execution(
        forward.SleepsInASlot, "test_timers::test_sleeping_sagas_stand_in_nobodys_way"
    ),
    "forgets_what_was_before_a_sleep": _execution(
        forward.ForgetsWhatWasBeforeASleep,
        "test_timers::test_failure_after_a_timer_undoes_the_steps_before_it",
    ),
    "ignores_wait_timeouts": _execution(
        forward.IgnoresWaitTimeouts, "test_wait_timeout::test_wait_that_times_out_fails_the_saga"
    ),
    "times_out_waits_early": _execution(
        forward.TimesOutWaitsEarly, "test_wait_timeout::test_wait_that_times_out_fails_the_saga"
    ),
    "never_goes_on_after_a_wait_timeout": _execution(
        forward.NeverGoesOnAfterAWaitTimeout, "test_wait_timeout::test_wait_that_times_out_goes_on"
    ),
    "times_out_after_the_signal": _execution(
        forward.TimesOutAfterTheSignal, "test_wait_timeout::test_signal_in_time_beats_the_timeout"
    ),
    "never_waits": _execution(forward.NeverWaits, "test_signals::test_saga_waits_for_its_signal"),
    # conditions
    "ignores_conditions": _execution(
        branches.IgnoresConditions, "test_conditions::test_step_that_is_not_due_leaves_nothing"
    ),
    "ignores_conditions_in_groups": _execution(
        branches.IgnoresConditionsInGroups, "test_conditions::test_member_of_a_group_is_left_out_alone"
    ),
    "takes_every_condition_for_unmet": _execution(
        branches.TakesEveryConditionForUnmet, "test_conditions::test_step_acts_where_its_condition_holds"
    ),
    "takes_a_broken_condition_for_unmet": _execution(
        branches.TakesABrokenConditionForUnmet, "test_conditions::test_condition_that_raises_ends_the_saga"
    ),
    "hides_results_from_conditions": _execution(
        branches.HidesResultsFromConditions, "test_conditions::test_no_reminder_for_who_answered"
    ),
    "hides_timers_from_conditions": _execution(
        branches.HidesTimersFromConditions, "test_conditions::test_condition_sees_the_timers_before_it"
    ),
    "compensates_what_was_left_out": _execution(
        branches.CompensatesWhatWasLeftOut, "test_conditions::test_nothing_that_was_left_out_is_compensated"
    ),
    "waits_forever_where_nobody_waits": _execution(
        branches.WaitsForeverWhereNobodyWaits,
        "test_conditions::test_signal_for_a_wait_that_was_left_out_is_rejected",
    ),
    # escalations
    "goes_straight_through_to_the_escalation": _execution(
        branches.GoesStraightThroughToTheEscalation,
        "test_escalation::test_escalation_is_not_reached_by_the_ordinary_way",
    ),
    "never_escalates": _execution(branches.NeverEscalates, "test_escalation::test_exhausted_step_hands_over"),
    "escalates_without_the_own_undo": _execution(
        branches.EscalatesWithoutTheOwnUndo,
        "test_escalation::test_exhausted_step_is_undone_before_its_escalation",
    ),
    "escalates_declines": _execution(
        branches.EscalatesDeclines, "test_escalation::test_decline_does_not_escalate"
    ),
    "forgets_what_was_before_an_escalation": _execution(
        branches.ForgetsWhatWasBeforeAnEscalation,
        "test_escalation::test_declined_escalation_compensates_what_succeeded",
    ),
    "undoes_the_exhausted_step_again": _execution(
        branches.UndoesTheExhaustedStepAgain,
        "test_escalation::test_exhausted_escalation_compensates_what_succeeded",
    ),
    "escalates_whatever_becomes_of_the_undo": _execution(
        branches.EscalatesWhateverBecomesOfTheUndo,
        "test_escalation::test_undo_that_gives_up_escalates_nothing",
    ),
    "keeps_the_waits_of_the_way_that_was_left": _execution(
        branches.KeepsTheWaitsOfTheWayThatWasLeft,
        "test_escalation::test_waits_of_the_way_that_was_left_are_over",
    ),
    "leaves_a_way_only_after_the_undo": _execution(
        branches.LeavesAWayOnlyAfterTheUndo,
        "test_escalation::test_waits_of_the_way_that_is_left_are_over_before_the_undo",
    ),
    "keeps_the_waits_of_an_escalation_that_is_out_of_reach": _execution(
        branches.KeepsTheWaitsOfAnEscalationThatIsOutOfReach,
        "test_escalation::test_waits_of_an_escalation_that_nobody_reaches_any_more_are_over",
    ),
    # backward
    "skips_a_compensation": _execution(backward.SkipsACompensation, f"{_DECLINE}[book_car]"),
    "loses_the_first_steps_compensation": _execution(
        backward.LosesTheFirstStepsCompensation, f"{_DECLINE}[book_hotel]"
    ),
    "doubles_compensations": _execution(backward.DoublesCompensations, f"{_DECLINE}[book_car]"),
    "compensates_forwards": _execution(backward.CompensatesForwards, f"{_DECLINE}[send_itinerary]"),
    "compensates_all_at_once": _execution(
        backward.CompensatesAllAtOnce,
        "test_compensation::test_an_undo_starts_only_after_the_later_one_ended",
    ),
    "loses_the_compensation": _execution(backward.LosesTheCompensation, f"{_FAULT}[send_itinerary]"),
    "stops_at_a_step_without_compensation": _execution(
        backward.StopsAtAStepWithoutCompensation,
        "test_compensation::test_steps_without_compensation_are_passed_over",
    ),
    "forgets_to_undo_the_faulted_step": _execution(
        backward.ForgetsToUndoTheFaultedStep,
        "test_compensation::test_step_with_an_unknown_outcome_is_undone",
    ),
    "forgets_faults_before_a_decline": _execution(
        backward.ForgetsFaultsBeforeADecline,
        "test_compensation::test_step_declined_after_a_fault_is_compensated",
    ),
    "undoes_declined_steps": _execution(
        backward.UndoesDeclinedSteps,
        "test_compensation::test_step_whose_every_attempt_was_declined_is_not_compensated",
    ),
    "never_retries_compensations": _execution(
        backward.NeverRetriesCompensations,
        "test_misbehaving_compensation::test_flaky_compensation_is_retried[book_hotel]",
    ),
    "stops_at_the_first_failed_compensation": _execution(
        backward.StopsAtTheFirstFailedCompensation, f"{_GIVES_UP}[book_car]"
    ),
    "names_one_failed_compensation": _execution(
        backward.NamesOneFailedCompensation,
        "test_misbehaving_compensation::test_every_compensation_that_gave_up_is_named",
    ),
    "calls_compensation_failed_compensated": _execution(
        backward.CallsCompensationFailedCompensated, "test_outcome::test_the_engines_word_is_the_ledgers"
    ),
    "calls_compensated_completed": _execution(
        backward.CallsCompensatedCompleted, "test_outcome::test_the_engines_word_is_the_ledgers"
    ),
    "loses_the_cause_when_undo_fails": _execution(
        backward.LosesTheCauseWhenUndoFails,
        "test_misbehaving_compensation::test_compensation_failed_keeps_the_cause",
    ),
    "loses_the_cause": _execution(backward.LosesTheCause, "test_outcome::test_cause_of_a_decline"),
    "loses_outcome_results": _execution(
        backward.LosesOutcomeResults, "test_outcome::test_completed_saga_has_results_and_no_cause"
    ),
    "gives_compensations_no_result": _participant(
        backward.GivesCompensationsNoResult,
        "test_compensation::test_compensation_is_given_input_and_its_actions_result",
    ),
    "invents_results_for_compensations": _participant(
        backward.InventsResultsForCompensations,
        "test_compensation::test_compensation_is_given_no_result_where_the_outcome_is_unknown",
    ),
    "acts_after_the_end": _execution(
        backward.ActsAfterTheEnd, "test_quiet::test_nothing_happens_after_the_outcome"
    ),
    "undoes_other_sagas_steps": _execution(
        backward.UndoesOtherSagasSteps, "test_compensation::test_thirty_sagas_compensate_at_once"
    ),
    # start and result
    "accepts_duplicate_starts": _client(
        clients.AcceptsDuplicateStarts,
        "test_start::test_starting_again_while_it_runs_returns_the_existing_saga",
    ),
    "acts_again_on_duplicate_starts": _client(
        clients.ActsAgainOnDuplicateStarts,
        "test_start::test_starting_again_after_its_end_returns_the_existing_saga",
    ),
    "accepts_conflicting_starts": _client(
        clients.AcceptsConflictingStarts,
        "test_start::test_starting_with_another_input_while_it_runs_is_a_conflict",
    ),
    "compares_inputs_as_text": _client(
        clients.ComparesInputsAsText, "test_start::test_input_is_the_same_whatever_the_order_of_its_keys"
    ),
    "checks_then_starts": _client(
        clients.ChecksThenStarts, "test_start::test_of_many_simultaneous_starts_one_is_first"
    ),
    "accepts_any_input": _client(
        clients.AcceptsAnyInput, "test_start::test_input_that_is_no_json_is_refused"
    ),
    "waits_for_strangers": _client(
        clients.WaitsForStrangers, "test_outcome::test_result_of_a_saga_that_nobody_started"
    ),
    "ends_sagas_with_the_callers_patience": _client(
        clients.EndsSagasWithTheCallersPatience, "test_outcome::test_result_of_a_running_saga_times_out"
    ),
    "tells_an_outcome_once": _client(
        clients.TellsAnOutcomeOnce, "test_outcome::test_outcome_can_be_asked_again"
    ),
    # signals
    "drops_early_signals": _execution(clients.DropsEarlySignals, "test_signals::test_early_signal_is_kept"),
    "counts_repeated_signals": _execution(
        clients.CountsRepeatedSignals, "test_signals::test_repeated_signal_counts_once"
    ),
    "swallows_late_signals": _execution(
        clients.SwallowsLateSignals, "test_signals::test_signal_to_a_settled_saga_is_rejected"
    ),
    "loses_payloads": _execution(
        clients.LosesPayloads, "test_signals::test_payload_of_a_signal_is_the_result_of_its_wait"
    ),
    "takes_any_signal_for_any_wait": _execution(
        clients.TakesAnySignalForAnyWait, "test_signals::test_two_waits_take_each_its_own_signal"
    ),
    "mixes_up_signals": _execution(
        clients.MixesUpSignals, "test_signals::test_twenty_sagas_wait_for_their_own_signals"
    ),
    "forgets_what_was_before_a_wait": _execution(
        clients.ForgetsWhatWasBeforeAWait,
        "test_signals::test_failure_after_a_wait_undoes_the_steps_before_it",
    ),
    "accepts_signals_for_strangers": _client(
        clients.AcceptsSignalsForStrangers, "test_signals::test_signal_to_an_unknown_saga"
    ),
    "accepts_signals_of_any_name": _client(
        clients.AcceptsSignalsOfAnyName, "test_signals::test_signal_that_no_wait_has_is_rejected"
    ),
    "checks_then_signals": _client(
        clients.ChecksThenSignals, "test_signals::test_of_many_simultaneous_deliveries_one_counts"
    ),
    # cancel
    "ignores_cancels": _execution(clients.IgnoresCancels, "test_cancel::test_cancel_mid_saga_compensates"),
    "notices_cancels_at_the_end": _execution(
        clients.NoticesCancelsAtTheEnd, "test_cancel::test_cancel_mid_saga_compensates"
    ),
    "cancel_interrupts_compensations": _execution(
        clients.CancelInterruptsCompensations,
        "test_cancel::test_cancel_during_compensation_changes_nothing",
    ),
    "cancels_after_the_end": _execution(
        clients.CancelsAfterTheEnd, "test_cancel::test_cancel_after_the_end_changes_nothing"
    ),
    "cancels_at_and_after_the_pivot": _execution(
        clients.CancelsAtAndAfterThePivot, "test_cancel::test_cancel_at_the_pivot_is_too_late"
    ),
    "takes_the_last_step_for_a_pivot": _execution(
        clients.TakesTheLastStepForAPivot, "test_cancel::test_cancel_during_the_last_step_compensates"
    ),
    "cancels_twice": _execution(clients.CancelsTwice, "test_cancel::test_cancel_twice_is_one_cancel"),
    "cancels_strangers": _client(clients.CancelsStrangers, "test_cancel::test_cancel_of_an_unknown_saga"),
    # what an engine tells
    "describes_nothing": _execution(
        clients.DescribesNothing, "test_observe::test_describe_tells_the_current_step"
    ),
    "describes_strangers": _client(
        clients.DescribesStrangers, "test_observe::test_describe_of_an_unknown_saga"
    ),
    "lists_everything_as_running": _client(
        clients.ListsEverythingAsRunning, "test_observe::test_list_has_every_saga_under_its_status"
    ),
    "invents_histories": Saboteur(
        lambda: SaboteurEngine(client=clients.InventsHistories, claims=_HISTORY),
        "test_observe::test_event_history_tells_what_happened",
    ),
    # what is started by schedule
    "starts_every_other_period": _clock(
        schedules.StartsEveryOtherPeriod, "test_schedules::test_each_period_starts_one_saga_with_its_id"
    ),
    "waits_for_the_last_period": _clock(
        schedules.WaitsForTheLastPeriod,
        "test_schedules::test_period_starts_while_the_last_ones_saga_runs",
    ),
    "goes_on_without_a_schedule": _clock(
        schedules.GoesOnWithoutASchedule, "test_schedules::test_removed_schedule_starts_nothing_more"
    ),
    "replaces_schedules": _clock(
        schedules.ReplacesSchedules, "test_schedules::test_schedule_is_made_once_and_removed_once"
    ),
    "lists_no_schedules": _clock(
        schedules.ListsNoSchedules, "test_schedules::test_schedules_are_listed_while_they_are_there"
    ),
    # the World
    **{name: _mutant(trigger, test) for name, (trigger, test) in world_mutants.TRIGGERS.items()},
    # real engines with real workers
    **{
        name: Saboteur(make, test, real=True, has_broker=not name.startswith("temporal"))
        for name, (make, test) in REAL.items()
    },
    # who does not cheat must not be caught
    HONEST: Saboteur(SaboteurEngine, caught_by=""),
    HONEST_CLOCK: _clock(schedules.StartsByTheClock, caught_by=""),
}


def __getattr__(name: str) -> Saboteur:
    """A saboteur is found as an attribute of this module."""
    try:
        return SABOTEURS[name]
    except KeyError:
        raise AttributeError(name) from None
