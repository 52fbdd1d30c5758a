"""The hosted checkout page, where a person pays, declines or cancels. It needs no JavaScript."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import parse_qsl, urlencode, urlsplit

from werkzeug.exceptions import BadRequest
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.paystack.transactions import Transaction, Transactions
from sandbox.paystack.webhooks import Webhooks

PAGE = Template(files("sandbox.paystack").joinpath("checkout.html").read_text(encoding="utf-8"))
MERCHANT = "Sandbox Merchant"

HEADING = Template("""\
<div class="who">
  <span class="mark" aria-hidden="true">S</span>
  <p><span class="name">$merchant</span><br><span class="quiet">$email</span></p>
</div>
<h1 id="amount">$amount</h1>
<p class="quiet">$channel</p>
""")
DETAILS = Template("""\
<dl>
  <div><dt>Reference</dt><dd id="reference">$reference</dd></div>
  <div><dt>$means_name</dt><dd>$means</dd></div>
</dl>
""")
DECLINED = """\
<p class="note bad" id="message" role="alert"><strong>Your payment was declined</strong>
Try again, or use another way to pay. One more refusal ends this payment.</p>
"""
FORM = Template("""\
<form method="post">
  <button class="main" id="pay" name="action" value="pay">Pay $amount</button>
  <button id="decline" name="action" value="decline">Decline</button>
  <button id="cancel" name="action" value="cancel">Cancel</button>
</form>
""")
FINISHED = Template("""\
<p class="note $mood" id="message" role="status"><strong>$title</strong>$text</p>
""")
BACK = Template('<a class="button main" id="return" href="$url">Return to the merchant</a>\n')
UNKNOWN = """\
<h1>Not found</h1>
<p class="note bad" id="message" role="alert"><strong>This payment link is not valid</strong>
Ask the merchant for a new one.</p>
"""

CHANNEL_NAMES = {
    "card": "Card payment",
    "mobile_money": "M-PESA",
    "apple_pay": "Apple Pay",
    "bank_transfer": "Pesalink",
}
SYMBOLS = {"USD": "$"}

OUTCOMES = {
    "success": ("good", "This payment is complete", "You can close this page."),
    "failed": (
        "bad",
        "This payment failed",
        "The card was refused. Start a new payment to try again.",
    ),
    "reversed": ("bad", "This payment was reversed", "The amount was given back."),
    "reversal-pending": ("bad", "This payment is being reversed", "The amount is on its way back."),
}


class Checkout:
    """One page per access code."""

    def __init__(self, transactions: Transactions, webhooks: Webhooks) -> None:
        """Take the transactions to act on, and the sender of their events."""
        self._transactions = transactions
        self._webhooks = webhooks

    def show(self, _request: Request, access_code: str) -> Response:
        """Show the page in its present state."""
        transaction = self._transactions.find_by_access_code(access_code)
        if transaction is None:
            return _page("Payment link not valid", UNKNOWN, status=404)
        if transaction.status == "abandoned":
            return _open_page(transaction)
        return _finished_page(transaction)

    def act(self, request: Request, access_code: str) -> Response:
        """Do what the payer's button says, then send the browser on."""
        transaction = self._transactions.find_by_access_code(access_code)
        if transaction is None or transaction.status != "abandoned":
            return self.show(request, access_code)
        action = request.form.get("action")
        if action == "pay":
            transaction.pay()
            self._webhooks.announce(transaction)
        elif action == "decline":
            transaction.decline()
            if transaction.status == "abandoned":
                return redirect(request.url, 303)
        elif action == "cancel":
            if transaction.checkout.cancel_url:
                return redirect(transaction.checkout.cancel_url, 303)
        else:
            raise BadRequest("Choose to pay, decline or cancel.")
        return redirect(_return_url(transaction) or request.url, 303)


def _open_page(transaction: Transaction) -> Response:
    content = _heading(transaction)
    if transaction.declines:
        content += DECLINED
    content += _details(transaction) + FORM.substitute(amount=escape(formatted_amount(transaction)))
    return _page(f"Pay {formatted_amount(transaction)}", content)


def _finished_page(transaction: Transaction) -> Response:
    mood, title, text = OUTCOMES[transaction.status]
    content = (
        _heading(transaction)
        + FINISHED.substitute(mood=mood, title=title, text=text)
        + _details(transaction)
    )
    url = _return_url(transaction)
    if url:
        content += BACK.substitute(url=escape(url))
    return _page(title, content)


def _heading(transaction: Transaction) -> str:
    return HEADING.substitute(
        merchant=MERCHANT,
        email=escape(transaction.checkout.email),
        amount=escape(formatted_amount(transaction)),
        channel=CHANNEL_NAMES.get(transaction.checkout.channel, transaction.checkout.channel),
    )


def _details(transaction: Transaction) -> str:
    if transaction.checkout.channel == "mobile_money":
        means_name, means = "Test phone", "+254 710 000 000"
    else:
        means_name, means = "Test card", "•••• 4081, 12/30"
    return DETAILS.substitute(
        reference=escape(transaction.reference), means_name=means_name, means=means
    )


def _page(title: str, content: str, *, status: int = 200) -> Response:
    text = PAGE.substitute(title=f"{escape(title)} - SANDBOX checkout", content=content)
    headers = {"cache-control": "no-store", "x-frame-options": "DENY"}
    return Response(text, status=status, headers=headers, content_type="text/html; charset=utf-8")


def _return_url(transaction: Transaction) -> str | None:
    """Return the callback URL, its own query kept, with the reference under both names."""
    if transaction.checkout.callback_url is None:
        return None
    parts = urlsplit(transaction.checkout.callback_url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    query += [("trxref", transaction.reference), ("reference", transaction.reference)]
    return parts._replace(query=urlencode(query)).geturl()


def formatted_amount(transaction: Transaction) -> str:
    """Return what the payer is asked for, with two decimals: ``$1,234.50``."""
    return formatted(transaction.checkout.amount, transaction.checkout.currency)


def formatted(amount: int, currency: str) -> str:
    """Return an amount of subunits with two decimals."""
    units, subunits = divmod(amount, 100)
    return f"{SYMBOLS.get(currency, f'{currency} ')}{units:,}.{subunits:02d}"
