"""A billing cycle: an invoice, a charge that is tried again for days, and what follows if it never comes.

The input is the id of one invoice, e.g. ``user-7:2026-11``: one saga per account and period. On a schedule
(``bakeoff.schedules``) it is the id of the period's saga, ``user-7-2026-12-03T00:00:00Z``. A card that is
refused is no decline of the saga but a fault: it is tried again on the dunning schedule, after one, two, four
and seven days. When that is exhausted a person is told and the account suspended; the invoice stays open.
"""

from __future__ import annotations

from datetime import timedelta

from bakeoff.bridge.commands import command
from bakeoff.saga import JSON, Call, RetryPolicy, Saga, Step
from bakeoff.world.cases import put

_TIMEOUT = timedelta(seconds=2)


@command("InvoiceService", "generateInvoice", event="invoiceGenerated", identified_by="invoiceId")
def generate_invoice(call: Call) -> JSON:
    """Write the invoice."""
    put(call.tx, "invoice", call.input, "open")
    return {"invoiceId": call.input}


@command("InvoiceService", "voidInvoice", identified_by="invoiceId")
def void_invoice(call: Call) -> JSON:
    """Take it back."""
    put(call.tx, "invoice", call.input, "void")
    return {"invoiceId": call.input}


@command("InvoiceService", "chargeInvoice", event="invoicePaid", identified_by="invoiceId")
def charge_invoice(call: Call) -> JSON:
    """Charge the card on file."""
    put(call.tx, "invoice", call.input, "paid")
    return {"invoiceId": call.input}


@command("InvoiceService", "refundInvoice", identified_by="invoiceId")
def refund_invoice(call: Call) -> JSON:
    """Give the money back; the invoice is open again."""
    put(call.tx, "invoice", call.input, "open")
    return {"invoiceId": call.input}


@command("EmailService", "sendReceipt", identified_by="invoiceId")
def send_receipt(call: Call) -> JSON:
    """Send the receipt."""
    put(call.tx, "receipt", call.input, "sent")
    return {"invoiceId": call.input}


@command("InvoiceService", "escalateInvoice", event="invoiceEscalated", identified_by="invoiceId")
def escalate_invoice(call: Call) -> JSON:
    """Tell a person that nobody pays."""
    put(call.tx, "escalation", call.input, "open")
    return {"invoiceId": call.input}


@command("InvoiceService", "withdrawEscalation", identified_by="invoiceId")
def withdraw_escalation(call: Call) -> JSON:
    """Tell that person that it is over."""
    put(call.tx, "escalation", call.input, "withdrawn")
    return {"invoiceId": call.input}


@command("AccountService", "suspendAccount", event="accountSuspended", identified_by="invoiceId")
def suspend_account(call: Call) -> JSON:
    """Serve the account no longer."""
    put(call.tx, "suspension", call.input, "in force")
    return {"invoiceId": call.input}


def billing(name: str, day: timedelta) -> Saga:
    """The process, with days of that length."""
    dunning = RetryPolicy(
        initial_interval=day, backoff_coefficient=2, maximum_interval=7 * day, maximum_attempts=5
    )
    return Saga(
        name,
        (
            Step(
                name="generate_invoice",
                action=generate_invoice,
                compensation=void_invoice,
                timeout=_TIMEOUT,
            ),
            Step(
                name="charge_invoice",
                action=charge_invoice,
                compensation=refund_invoice,
                retry=dunning,
                on_exhausted="escalate_invoice",
                timeout=_TIMEOUT,
            ),
            Step(name="send_receipt", action=send_receipt, timeout=_TIMEOUT),
            Step(
                name="escalate_invoice",
                action=escalate_invoice,
                compensation=withdraw_escalation,
                timeout=_TIMEOUT,
            ),
            Step(name="suspend_account", action=suspend_account, timeout=_TIMEOUT),
        ),
    )


BILLING = billing("billing", timedelta(seconds=0.1))
BILLING_DAYS = billing("billing-days", timedelta(days=1))
