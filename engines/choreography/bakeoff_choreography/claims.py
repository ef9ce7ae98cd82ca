"""What participants reach without anybody above them, and what they cannot."""

from __future__ import annotations

from collections.abc import Mapping

from bakeoff.engine import Capability, Claim, Means, Support

_NATIVE, _PATTERN, _ABSENT = Support.NATIVE, Support.PATTERN, Support.ABSENT

CLAIMS: Mapping[Capability, Claim] = {
    Capability.ORDER: Claim(_NATIVE, "who comes next hears who was before; the results travel in the event"),
    Capability.RETRY: Claim(_NATIVE, "nak with the policy's delay; the attempt is the number of deliveries"),
    Capability.TIMEOUT: Claim(
        _PATTERN, "the worker gives the attempt up, which goes on in its thread; the lease is another thing"
    ),
    Capability.COMPENSATION: Claim(
        _PATTERN, "every participant hears failures behind it, and whoever undid behind it, and undoes too"
    ),
    Capability.OWN_UNDO: Claim(_PATTERN, "a step that was delivered before its decline undoes itself, too"),
    Capability.PIVOT: Claim(
        _PATTERN, "from the pivot on an event comes again without limit; nobody gives up"
    ),
    Capability.CONDITIONS: Claim(
        _PATTERN, "the participant looks at the event, and says that it was left out"
    ),
    Capability.ESCALATION: Claim(_PATTERN, "other participants hear that a step is exhausted and undone"),
    Capability.OUTCOME: Claim(_PATTERN, "whoever has nobody after it says so; clients hear that"),
    Capability.IDEMPOTENT_START: Claim(
        _NATIVE, "the log refuses a second first event of a workflow; the client compares"
    ),
    Capability.PARALLEL: Claim(
        _PATTERN, "each member looks in the log whether all have been heard; the last one sees all"
    ),
    Capability.SIGNALS: Claim(
        _PATTERN, "the signal is an event; whoever comes second, saga or signal, finds the other in the log"
    ),
    Capability.WAIT_TIMEOUT: Claim(
        _PATTERN, "a scheduled event and the signal want the same place in the log, which takes one"
    ),
    Capability.TIMERS: Claim(_NATIVE, "a scheduled message of JetStream"),
    Capability.LONG_TIMERS: Claim(
        _NATIVE, "it lies in the log and holds nothing; max_age_s must be longer, if it is set"
    ),
    Capability.CANCEL: Claim(
        _PATTERN, "the client says it in the place of whoever's turn it is; the log takes what is said first"
    ),
    Capability.DESCRIBE: Claim(_PATTERN, "the last event tells whose turn it is, not how often it tried"),
    Capability.LIST: Claim(_PATTERN, "reads the first event of every saga"),
    Capability.EVENT_HISTORY: Claim(_NATIVE, "the log is the saga"),
    Capability.SCHEDULES: Claim(
        _ABSENT, "whoever says the first event starts a saga; no participant is there to say it by the clock"
    ),
    Capability.CATCH_UP: Claim(_ABSENT, "there is no scheduler"),
}

MEANS: Mapping[Means, Claim] = {
    Means.REDRIVE: Claim(_ABSENT, "what was said stays said: the log takes no second event of an act"),
    Means.DEAD_LETTERS: Claim(_ABSENT, "nothing is given up: an event that nobody understands comes again"),
}
