"""User onboarding: a mail, a person who answers it or not, an account.

The input is the user's id. Who has not verified after a day is reminded; who has not after three more is
forgotten: the saga compensates, and nothing is left of the user but the expired mail.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import timedelta

from bakeoff.bridge.commands import command
from bakeoff.saga import JSON, Call, Saga, Step, Wait
from bakeoff.world.cases import put

_TIMEOUT = timedelta(seconds=2)


@command("EmailService", "sendVerification", event="verificationSent", identified_by="userId")
def send_verification(call: Call) -> JSON:
    """Send the mail with the link."""
    put(call.tx, "verification", call.input, "sent")
    return {"userId": call.input}


@command("EmailService", "expireVerification", identified_by="userId")
def expire_verification(call: Call) -> JSON:
    """Let the link lead nowhere."""
    put(call.tx, "verification", call.input, "expired")
    return {"userId": call.input}


@command("EmailService", "remindOfVerification", identified_by="userId")
def remind(call: Call) -> JSON:
    """Send it once more."""
    put(call.tx, "reminder", call.input, "sent")
    return {"userId": call.input}


@command("AccountService", "provisionAccount", event="accountProvisioned", identified_by="userId")
def provision_account(call: Call) -> JSON:
    """Open the account."""
    put(call.tx, "account", call.input, "active")
    return {"userId": call.input, "accountId": f"account-{call.input}"}


@command("AccountService", "deprovisionAccount", identified_by="userId")
def deprovision_account(call: Call) -> JSON:
    """Close it again."""
    put(call.tx, "account", call.input, "closed")
    return {"userId": call.input}


@command("EmailService", "sendWelcome", identified_by="userId")
def send_welcome(call: Call) -> JSON:
    """Say welcome."""
    put(call.tx, "welcome", call.input, "sent")
    return {"userId": call.input}


def _unverified(input: JSON, results: Mapping[str, JSON]) -> bool:
    return results.get("verified") is None


def onboarding(name: str, day: timedelta) -> Saga:
    """The process, with days of that length."""
    return Saga(
        name,
        (
            Step(
                name="send_verification",
                action=send_verification,
                compensation=expire_verification,
                timeout=_TIMEOUT,
            ),
            Wait(name="verified", timeout=day, on_timeout="continue", event="userVerified"),
            Step(name="remind", action=remind, when=_unverified, timeout=_TIMEOUT),
            Wait(
                name="verified_late",
                signal="verified",
                event="userVerified",
                timeout=3 * day,
                when=_unverified,
            ),
            Step(
                name="provision_account",
                action=provision_account,
                compensation=deprovision_account,
                timeout=_TIMEOUT,
            ),
            Step(name="send_welcome", action=send_welcome, timeout=_TIMEOUT),
        ),
    )


ONBOARDING = onboarding("onboarding", timedelta(seconds=0.5))
ONBOARDING_DAYS = onboarding("onboarding-days", timedelta(days=1))


def facts(user: str) -> dict[str, JSON]:
    """Of ten users seven verify at once, two after the reminder, and one never."""
    drawn = zlib.crc32(str(user).encode()) % 10
    payload = {"userId": str(user)}
    if drawn < 7:
        return {"signals": {"verified": payload}}
    return {"signals": {"verified_late": payload} if drawn < 9 else {}}
