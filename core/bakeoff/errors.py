"""Everything that bakeoff raises on purpose.

BakeoffError
├── UsageError                 the user's mistake: one line, exit code 2
│   ├── SagaDefinitionError    a saga that cannot mean anything
│   ├── UnknownNameError       an engine, saga, setting ... that nobody knows
│   ├── OrdersFileError        an orders file without one usable order
│   ├── EngineUnavailableError an engine whose SDK or server is missing
│   ├── RedriveRefusedError    a saga or message with which nobody can or should go on
│   └── ScheduleRefusedError   a schedule that exists already, or that means nothing
├── ServerStartError           a server or worker that did not come up
├── ServerAwayError            a server that was there and does not answer any more
├── WorkflowError
│   ├── WorkflowNotFoundError  no saga has this workflow id
│   ├── WorkflowConflictError  the id exists with another saga or input (S6)
│   ├── ResultTimeoutError     the saga had not settled in time
│   ├── SignalRejectedError    too late, or nobody waits for this name (S7)
│   └── StartUnknownError      nobody knows whether the start was accepted
├── BridgeError                a command or an event that did not get through
│   ├── HandledError           the service declined
│   ├── UnhandledError         the service failed
│   ├── CommandTimeoutError    no answer in time: it may have run, or may run later
│   ├── NotServedError         nobody serves the command: it has certainly not run
│   ├── BridgeAwayError        the bridge does not answer
│   └── MalformedMessageError  bytes that are no message of ours
├── NotSupportedError          the engine declares this capability absent
├── BusinessError              a decline, raised by an action: never retried
│   ├── TombstoneError         the step was compensated before this attempt ran
│   └── UnserialisableError    an input or result that is not JSON
├── ConditionError             a step's condition raised: it ends the forward direction
└── StepFault                  any other failure of an action: retried by policy
    └── InjectedFault          ... that the fault plan asked for
"""

from __future__ import annotations


class BakeoffError(Exception):
    """Root of everything that bakeoff raises on purpose."""


class UsageError(BakeoffError):
    """The user asked for something impossible; the message names value, place and way out."""


class SagaDefinitionError(UsageError):
    """A saga definition that cannot mean anything, refused before anything runs."""


class UnknownNameError(UsageError):
    """A name that nobody knows; the message lists the known ones."""


class OrdersFileError(UsageError):
    """An orders file that cannot be read or holds no usable order."""


class EngineUnavailableError(UsageError):
    """An engine whose SDK or server is missing; the message says how to install it."""


class RedriveRefusedError(UsageError):
    """A saga or message with which nobody can or should go on; the message says why."""


class ScheduleRefusedError(UsageError):
    """A schedule that cannot be made; the message says why."""


class ServerStartError(BakeoffError):
    """A server or worker process did not come up; the message ends with its last log lines."""


class ServerAwayError(BakeoffError):
    """A server does not answer (any more); the message names its role and address, without credentials."""


class WorkflowError(BakeoffError):
    """Something about one workflow id."""


class WorkflowNotFoundError(WorkflowError):
    """No saga with this workflow id was ever started here."""


class WorkflowConflictError(WorkflowError):
    """The workflow id exists already with another saga or another input (S6)."""


class ResultTimeoutError(WorkflowError):
    """The saga had not settled within the time that the caller gave."""


class SignalRejectedError(WorkflowError):
    """The signal came too late, or the saga has no wait of that name (S7)."""


class StartUnknownError(WorkflowError):
    """The connection broke during a start: it may or may not have been accepted."""


class BridgeError(BakeoffError):
    """A command or an event did not get through; see the subclasses."""


class HandledError(BridgeError):
    """The service declined: a business rule, not a failure.

    Args:
        message: For people.
        status: As in HTTP: 4xx.
        data: What the service says about it, as JSON.
    """

    def __init__(self, message: str, status: int = 409, data: object = None) -> None:
        super().__init__(message)
        self.message, self.status, self.data = message, status, data


class UnhandledError(BridgeError):
    """The service failed; ``cause`` is the type of its exception, if it told one."""

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.message, self.cause = message, cause


class CommandTimeoutError(BridgeError):
    """No answer in time: the command may have run, or may run later."""


class NotServedError(BridgeError):
    """Nobody serves the command at the moment: it has certainly not run."""


class BridgeAwayError(BridgeError):
    """The bridge's server does not answer; the message names its address, without credentials."""


class MalformedMessageError(BridgeError):
    """Bytes on our subjects that are no message: ignored and counted."""


class NotSupportedError(BakeoffError):
    """The engine declares the capability absent; the message carries its reason."""


class BusinessError(BakeoffError):
    """A decline: the service understood and said no. Never retried."""


class TombstoneError(BusinessError):
    """The step's compensation was here first, so the late action has no effect."""


class UnserialisableError(BusinessError):
    """An input or a result that JSON cannot carry."""


class ConditionError(BakeoffError):
    """The condition (``when``) of a step or wait raised; never retried, for it would raise again."""


class StepFault(BakeoffError):
    """A failure of an action that is not a decline: retried by the step's policy."""


class InjectedFault(StepFault):
    """A fault that the fault plan asked for."""
