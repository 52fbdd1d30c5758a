"""The control desk: a page on which a person decides what payers, phones and Paystack do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files
from itertools import islice
from string import Template
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest, Conflict, NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.paystack.checkout import formatted, formatted_amount
from sandbox.paystack.errors import PaystackError
from sandbox.paystack.faults import ENDPOINTS, Fault
from sandbox.paystack.phones import CODE, answers_listed
from sandbox.paystack.refunds import MINIMUM
from sandbox.paystack.transactions import AlreadyFinishedError, Transaction

if TYPE_CHECKING:
    from sandbox.paystack.api import Paystack
    from sandbox.paystack.back_office import BackOffice

PAGE = Template(files("sandbox.paystack").joinpath("desk.html").read_text(encoding="utf-8"))
MAX_SHOWN = 25
OUTAGE_CALLS = 20

CARDS = (
    ("4084 0840 8408 4081", "pays"),
    ("5192 6027 2058 4796", "pays, after a bank simulation"),
    ("4084 0800 0000 5408", "declined"),
    ("4084 0800 0067 0037", "too little money"),
    ("4084 0800 0067 1803", "a refund fails"),
    ("4084 0800 0067 1902", "a refund needs attention"),
)
ENDINGS = {
    "cancel": ("Cancel on the phone", "Request cancelled by user"),
    "pin": ("Wrong PIN", "The initiator information is invalid."),
    "poor": ("Too little money", "The balance is insufficient for the transaction."),
    "timeout": ("Nobody answers", "DS timeout user cannot be reached"),
    "decline": ("Decline", "Declined"),
}
NEXT_STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "next-otp": ("A code", ("otp",)),
    "next-birthday": ("A date of birth, then a code", ("birthday", "otp")),
    "next-address": ("A phone number, then an address", ("phone", "address")),
    "next-page": ("To go on on its own page", ("page",)),
    "next-pin": ("A PIN on a page", ("pin",)),
}
REFUND_STEPS = {
    "processing": "On its way",
    "processed": "Arrived",
    "failed": "Failed",
    "needs-attention": "Needs bank details",
}
DISPUTE_STEPS = {"remind": "Remind", "declined": "We win", "merchant-accepted": "We lose"}
ENDED = frozenset({"processed", "failed"})


class Desk:
    """The page and its buttons."""

    def __init__(self, paystack: Paystack, back_office: BackOffice) -> None:
        """Take the stand-in to control, and who begins its refunds and disputes."""
        self._paystack = paystack
        self._back_office = back_office

    def show(self, _request: Request) -> Response:
        """Show the latest transactions, and what can be done about them."""
        rows = list(islice(self._paystack.transactions, MAX_SHOWN))
        payments = "".join(map(self._article, rows)) or "<p>No payment has been started yet.</p>"
        down = "the next calls fail" if self._paystack.faults.any_waiting else "Paystack answers"
        content = (
            f"<section><h2>Payments</h2>{payments}</section>"
            f"<section><h2>Outage</h2><p>Now: {down}.</p><form method='post'>"
            f"{_button('outage', 'The next calls fail (503)')}"
            f"{_button('lost', 'The next calls work, and their answers are lost')}"
            f"{_button('repair', 'Repair')}</form></section>"
            f"<section><h2>The next phone wants</h2><form method='post'>{_buttons(NEXT_STEPS)}"
            f"</form><p class='quiet'>The code is {CODE}. A wrong one ends the payment.</p>"
            "</section>"
            f"<section><h2>Test phones</h2>{_list(answers_listed())}</section>"
            f"<section><h2>Test cards</h2>{_list(CARDS)}"
            "<p class='quiet'>The sandbox's checkout asks for no card: its buttons do the same. "
            "Saved cards of ada+carddeclines@example.com are declined, those of "
            "ada+cardchallenges@example.com want to see their holder.</p>"
            "</section>"
        )
        text = PAGE.substitute(content=content)
        return Response(text, content_type="text/html; charset=utf-8")

    def act(self, request: Request) -> Response:
        """Do what a button says, and show the page again."""
        action = request.form.get("action", "")
        everywhere: dict[str, Callable[[], None]] = {
            "outage": lambda: self._break(Fault(status=503)),
            "lost": lambda: self._break(Fault(drop=True, after=True)),
            "repair": self._paystack.faults.clear,
        }
        if action in everywhere:
            everywhere[action]()
        elif action in NEXT_STEPS:
            self._paystack.charges.ask_next(*NEXT_STEPS[action][1])
        elif "refund" in request.form:
            self._move_refund(action, request.form.get("refund", type=int))
        elif "dispute" in request.form:
            self._move_dispute(action, request.form.get("dispute", type=int))
        else:
            self._decide(action, self._transaction(request.form.get("reference", "")))
        return redirect(request.url, 303)

    def _break(self, fault: Fault) -> None:
        for endpoint in ENDPOINTS:
            self._paystack.faults.order(endpoint, fault, OUTAGE_CALLS)

    def _decide(self, action: str, transaction: Transaction) -> None:
        webhooks, has_url = self._paystack.webhooks, bool(self._paystack.settings.webhook_url)
        try:
            if action == "pay":
                transaction.pay()
                webhooks.announce(transaction)
            elif action == "silent":
                transaction.pay()
            elif action in ENDINGS:
                message = ENDINGS[action][1]
                transaction.end_charge(message, timed_out=action == "timeout")
            elif action in {"half", "rest"}:
                self._begin_refund(transaction, is_half=action == "half")
            elif action == "dispute":
                self._back_office.open_dispute(transaction, None)
            elif action == "again" and has_url:
                webhooks.send_again(transaction, times=3, tampered=False)
            elif action == "backwards" and has_url:
                webhooks.send_backwards(transaction)
            elif action == "forged" and has_url:
                webhooks.send_again(transaction, times=1, tampered=True)
            else:
                raise BadRequest("Press one of the buttons.")
        except AlreadyFinishedError as error:
            raise Conflict(f"The transaction is {transaction.status}.") from error

    def _begin_refund(self, transaction: Transaction, *, is_half: bool) -> None:
        left = self._paystack.refunds.left_of(transaction)
        amount = -(-left // 2) if is_half else left
        try:
            self._back_office.begin_refund({"transaction": transaction.reference, "amount": amount})
        except PaystackError as error:
            raise Conflict(str(error)) from error

    def _move_refund(self, status: str, refund_id: int | None) -> None:
        refund = None if refund_id is None else self._paystack.refunds.find(refund_id)
        if refund is None:
            raise NotFound("No refund has this id.")
        if status not in REFUND_STEPS:
            raise BadRequest("Press one of the buttons.")
        if refund.status in ENDED:
            raise Conflict(f"The refund is {refund.status}.")
        self._back_office.move_refund(refund, status)

    def _move_dispute(self, step: str, dispute_id: int | None) -> None:
        dispute = None if dispute_id is None else self._paystack.disputes.find(dispute_id)
        if dispute is None:
            raise NotFound("No dispute has this id.")
        if step not in DISPUTE_STEPS:
            raise BadRequest("Press one of the buttons.")
        if dispute.resolution:
            raise Conflict("The dispute is decided.")
        if step == "remind":
            self._back_office.remind(dispute)
        else:
            self._back_office.resolve(dispute, step)

    def _transaction(self, reference: str) -> Transaction:
        transaction = self._paystack.transactions.find(reference)
        if transaction is None:
            raise NotFound("No transaction has this reference.")
        return transaction

    def _article(self, transaction: Transaction) -> str:
        said = f": {escape(transaction.message)}" if transaction.message else ""
        return (
            f"<article><p><strong>{escape(formatted_amount(transaction))}</strong> "
            f"{escape(transaction.status)}{said}</p>"
            f"<p class='quiet'><code>{escape(transaction.reference)}</code> "
            f"{escape(transaction.phone or transaction.checkout.email)}</p>"
            f"{_form('reference', transaction.reference, self._choices(transaction))}"
            f"{self._parts(transaction)}</article>"
        )

    def _choices(self, transaction: Transaction) -> dict[str, str]:
        """Return what can be done about a transaction."""
        if transaction.status == "abandoned":
            endings = {name: label for name, (label, _) in ENDINGS.items()}
            return {"pay": "Pay", "silent": "Pay, webhook lost", **endings}
        if transaction.paid_at is None:
            return {}
        webhooks = {
            "again": "Send its webhook 3 times",
            "backwards": "Send all its events again, newest first",
            "forged": "Send it forged",
        }
        refunds = {"half": "Refund half", "rest": "Refund the rest"}
        if self._paystack.refunds.left_of(transaction) < MINIMUM:
            refunds = {}
        disputes = {"dispute": "Open a dispute"}
        if any(row.resolution is None for row in self._paystack.disputes.of(transaction)):
            disputes = {}
        return {**webhooks, **refunds, **disputes}

    def _parts(self, transaction: Transaction) -> str:
        """Return the refunds and disputes of a transaction, with how each may go on."""
        parts = ""
        for refund in self._paystack.refunds.of(transaction):
            amount = formatted(refund.amount, transaction.currency)
            choices = {} if refund.status in ENDED else REFUND_STEPS
            parts += (
                f"<p>Refund of {escape(amount)}: {escape(refund.status)}</p>"
                f"{_form('refund', str(refund.id), choices)}"
            )
        for dispute in self._paystack.disputes.of(transaction):
            choices = {} if dispute.resolution else DISPUTE_STEPS
            parts += (
                f"<p>Dispute: {escape(dispute.resolution or dispute.status)}</p>"
                f"{_form('dispute', str(dispute.id), choices)}"
            )
        return parts


def _form(name: str, value: str, choices: Mapping[str, str]) -> str:
    if not choices:
        return ""
    buttons = "".join(_button(*choice) for choice in choices.items())
    hidden = f"<input type='hidden' name='{name}' value='{escape(value)}'>"
    return f"<form method='post'>{hidden}{buttons}</form>"


def _buttons(steps: Mapping[str, tuple[str, object]]) -> str:
    return "".join(_button(action, label) for action, (label, _) in steps.items())


def _button(action: str, label: str) -> str:
    return f"<button name='action' value='{action}'>{escape(label)}</button>"


def _list(rows: tuple[tuple[str, str], ...]) -> str:
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(what)}</dd>" for name, what in rows)
    return f"<dl>{listed}</dl>"
