"""Processes that are no order: onboarding, billing, approval."""

from bakeoff.business.approvals import APPROVAL, APPROVAL_DAYS
from bakeoff.business.billing import BILLING, BILLING_DAYS
from bakeoff.business.onboarding import ONBOARDING, ONBOARDING_DAYS

__all__ = [
    "APPROVAL",
    "APPROVAL_DAYS",
    "BILLING",
    "BILLING_DAYS",
    "ONBOARDING",
    "ONBOARDING_DAYS",
]
