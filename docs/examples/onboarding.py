"""User onboarding as a saga without orders: ``bakeoff run --saga onboarding:ONBOARDING``."""

# ruff: noqa: D103 - the names say it
from bakeoff import BusinessError, Call, Saga, Step


def create_account(call: Call) -> dict[str, str]:
    return {"account": f"account-{call.input}"}


def delete_account(call: Call) -> None: ...


def screen_user(call: Call) -> None:
    if call.input.endswith("7"):
        raise BusinessError(f"user {call.input} is on the list")


def open_mailbox(call: Call) -> dict[str, str]:
    return {"mailbox": f"{call.results['create_account']['account']}@example.org"}


def close_mailbox(call: Call) -> None: ...


def send_welcome(call: Call) -> None: ...


def facts(user: str) -> dict[str, list[str]]:
    """What bakeoff cannot know of this process: whom it declines, and at which step."""
    return {"declines": ["screen_user"] if user.endswith("7") else []}


account = Step(name="create_account", action=create_account, compensation=delete_account)
mailbox = Step(name="open_mailbox", action=open_mailbox, compensation=close_mailbox)
screening, welcome = (Step(name=f.__name__, action=f) for f in (screen_user, send_welcome))
ONBOARDING = Saga("onboarding", (account, screening, mailbox, welcome))
