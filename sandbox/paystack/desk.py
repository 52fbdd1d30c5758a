"""The control desk: a page on which a person decides what payers, phones and Paystack do."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from importlib.resources import files
from itertools import islice
from string import Template
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest, Conflict, NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.paystack.checkout import formatted_amount
from sandbox.paystack.faults import ENDPOINTS, Fault
from sandbox.paystack.phones import answers_listed
from sandbox.paystack.transactions import AlreadyFinishedError, Transaction

if TYPE_CHECKING:
    from sandbox.paystack.api import Paystack

PAGE = Template(files("sandbox.paystack").joinpath("desk.html").read_text(encoding="utf-8"))
MOST_SHOWN = 25
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


class Desk:
    """The page and its buttons."""

    def __init__(self, paystack: Paystack) -> None:
        """Take the stand-in to control."""
        self._paystack = paystack

    def show(self, _request: Request) -> Response:
        """Show the latest transactions, and what can be done about them."""
        rows = list(islice(self._paystack.transactions, MOST_SHOWN))
        payments = "".join(map(_article, rows)) or "<p>No payment has been started yet.</p>"
        down = "the next calls fail" if self._paystack.faults.any_waiting else "Paystack answers"
        content = (
            f"<section><h2>Payments</h2>{payments}</section>"
            f"<section><h2>Outage</h2><p>Now: {down}.</p><form method='post'>"
            f"{_button('outage', 'The next calls fail (503)')}"
            f"{_button('lost', 'The next calls work, and their answers are lost')}"
            f"{_button('repair', 'Repair')}</form></section>"
            f"<section><h2>Test phones</h2>{_list(answers_listed())}</section>"
            f"<section><h2>Test cards</h2>{_list(CARDS)}"
            "<p class='quiet'>The sandbox's checkout asks for no card: its buttons do the same.</p>"
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
        else:
            self._decide(action, self._transaction(request.form.get("reference", "")))
        return redirect(request.url, 303)

    def _break(self, fault: Fault) -> None:
        for endpoint in ENDPOINTS:
            self._paystack.faults.order(endpoint, fault, OUTAGE_CALLS)

    def _decide(self, action: str, transaction: Transaction) -> None:
        webhooks = self._paystack.webhooks
        try:
            if action == "pay":
                transaction.pay()
                webhooks.announce(transaction)
            elif action == "silent":
                transaction.pay()
            elif action in ENDINGS:
                message = ENDINGS[action][1]
                transaction.end_charge(message, timed_out=action == "timeout")
            elif action == "again" and self._paystack.settings.webhook_url:
                webhooks.send_again(transaction, times=3, tampered=False)
            elif action == "forged" and self._paystack.settings.webhook_url:
                webhooks.send_again(transaction, times=1, tampered=True)
            else:
                raise BadRequest("Press one of the buttons.")
        except AlreadyFinishedError as error:
            raise Conflict(f"The transaction is {transaction.status}.") from error

    def _transaction(self, reference: str) -> Transaction:
        transaction = self._paystack.transactions.find(reference)
        if transaction is None:
            raise NotFound("No transaction has this reference.")
        return transaction


def _article(transaction: Transaction) -> str:
    buttons = [("again", "Send its webhook 3 times"), ("forged", "Send it forged")]
    if transaction.status == "abandoned":
        endings = [(name, label) for name, (label, _) in ENDINGS.items()]
        buttons = [("pay", "Pay"), ("silent", "Pay, webhook lost"), *endings]
    said = f": {escape(transaction.message)}" if transaction.message else ""
    return (
        f"<article><p><strong>{escape(formatted_amount(transaction))}</strong> "
        f"{escape(transaction.status)}{said}</p>"
        f"<p class='quiet'><code>{escape(transaction.reference)}</code> "
        f"{escape(transaction.phone or transaction.checkout.email)}</p>"
        f"<form method='post'><input type='hidden' name='reference' "
        f"value='{escape(transaction.reference)}'>"
        f"{''.join(_button(*button) for button in buttons)}</form></article>"
    )


def _button(action: str, label: str) -> str:
    return f"<button name='action' value='{action}'>{escape(label)}</button>"


def _list(rows: tuple[tuple[str, str], ...]) -> str:
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(what)}</dd>" for name, what in rows)
    return f"<dl>{listed}</dl>"
