"""Everything that bakeoff raises on purpose.

BakeoffError
├── UsageError                 the user's mistake: one line, exit code 2
│   ├── SagaDefinitionError    a saga that cannot mean anything
│   ├── UnknownNameError       an engine, saga, setting ... that nobody knows
│   ├── OrdersFileError        an orders file without one usable order
│   ├── EngineUnavailableError an engine whose SDK or server is missing
│   └── RedriveRefusedError    a saga or message with which nobody can or should go on
├── ServerStartError           a server or worker that did not come up
├── ServerAwayError            a server that was there and does not answer any more
├── WorkflowError
│   ├── WorkflowNotFoundError  no saga has this workflow id
│   ├── WorkflowConflictError  the id exists with another saga or input (S6)
│   ├── ResultTimeoutError     the saga had not settled in time
│   ├── SignalRejectedError    too late, or nobody waits for this name (S7)
│   └── StartUnknownError      nobody knows whether the start was accepted
├── NotSupportedError          the engine declares this capability absent
├── BusinessError              a decline, raised by an action: never retried
│   ├── TombstoneError         the step was compensated before it ran
│   └── UnserialisableError    an input or result that is not JSON
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


class NotSupportedError(BakeoffError):
    """The engine declares the capability absent; the message carries its reason."""


class BusinessError(BakeoffError):
    """A decline: the service understood and said no. Never retried."""


class TombstoneError(BusinessError):
    """The step's compensation was here first, so the late action has no effect."""


class UnserialisableError(BusinessError):
    """An input or a result that JSON cannot carry."""


class StepFault(BakeoffError):
    """A failure of an action that is not a decline: retried by the step's policy."""


class InjectedFault(StepFault):
    """A fault that the fault plan asked for."""
