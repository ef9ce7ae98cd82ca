"""The four statuses of a contract test, and how a test says the last two."""

from __future__ import annotations

from enum import StrEnum


class ContractStatus(StrEnum):
    """What one test found out about one engine."""

    PASSED = "passed"
    FAILED = "failed"  #: a capability that it declares does not hold
    NOT_SUPPORTED = "not supported"  #: declared absent, with its reason: a result, not a gap
    UNKNOWN = "unknown"  #: could not be judged here, with the reason


class NotJudged(Exception):
    """Ends a test with ``status`` instead of passed or failed; the message is the reason."""

    status = ContractStatus.UNKNOWN


class NotSupported(NotJudged):
    """The engine declares what the test needs absent."""

    status = ContractStatus.NOT_SUPPORTED


class Unknown(NotJudged):
    """The test could not find out."""
