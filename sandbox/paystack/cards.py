"""Saved cards: ``POST /transaction/charge_authorization`` and forgetting a card.

A code charges the card of the payment that made it, for the address of that payment alone. How a
charge ends is a quirk of that address (see ``quirks``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.paystack.errors import PaystackError, invalid
from sandbox.paystack.initialization import (
    Initialization,
    read_amount,
    read_currency,
    read_email,
    read_metadata,
    read_reference,
)
from sandbox.paystack.quirks import Quirk
from sandbox.paystack.transactions import Transaction, Transactions
from sandbox.paystack.webhooks import Webhooks
from sandbox.routing import json_answer

NOT_HIS = (
    "Email does not match Authorization code. Authorization may be inactive or belong to a "
    "different email. Please confirm."
)


class Cards:
    """Codes that charge cards."""

    def __init__(self, transactions: Transactions, webhooks: Webhooks) -> None:
        """Take the payments that made the codes, and the sender of events."""
        self._transactions = transactions
        self._webhooks = webhooks
        self._inactive: set[str] = set()

    def clear(self) -> None:
        """Forget which codes are inactive."""
        self._inactive.clear()

    def charge(self, body: Mapping[str, Any], request: Request) -> Response:
        """Charge a card.

        Raises:
            PaystackError: A field is refused, or the code charges nothing for this address.
        """
        email, code = read_email(body), str(body.get("authorization_code", ""))
        currency = read_currency(body)
        order = Initialization(
            email=email,
            amount=read_amount(body, currency),
            currency=currency,
            reference=read_reference(body),
            callback_url=str(body.get("callback_url") or "") or None,
            channel="card",
            metadata=read_metadata(body),
            cancel_url=None,
        )
        self._check(code, email)
        transaction = self._transactions.add(order, ip_address="127.0.0.1")
        transaction.charged_code = code
        if Quirk.CARD_CHALLENGES in transaction.quirks:
            return json_answer(_challenge(transaction, request))
        if Quirk.CARD_DECLINES in transaction.quirks:
            transaction.fail()
        else:
            transaction.pay()
            self._webhooks.announce(transaction)
        data = transaction.as_verified()
        # Verify has it; this answer does not.
        del data["requested_amount"]
        return json_answer({"status": True, "message": "Charge attempted", "data": data})

    def deactivate(self, body: Mapping[str, Any]) -> Response:
        """Make a code charge nothing any more.

        Raises:
            PaystackError: There is no such code.
        """
        code = str(body.get("authorization_code", ""))
        if self._maker(code) is None:
            raise PaystackError(404, "Authorization code not found")
        self._inactive.add(code)
        return json_answer({"status": True, "message": "Authorization has been deactivated"})

    def _check(self, code: str, email: str) -> None:
        maker = self._maker(code)
        if maker is None:
            raise invalid("Authorization code is invalid")
        is_usable = code not in self._inactive and Quirk.CARD_ONCE not in maker.quirks
        if not is_usable or maker.checkout.email.lower() != email.lower():
            raise invalid(NOT_HIS)

    def _maker(self, code: str) -> Transaction | None:
        """Return the payment that made a code."""
        return next(
            (
                row
                for row in self._transactions
                if row.paid_at and not row.charged_code and row.authorization_code == code
            ),
            None,
        )


def _challenge(transaction: Transaction, request: Request) -> dict[str, Any]:
    return {
        "status": True,
        "message": "Please, redirect your customer to the authorization url provided",
        "data": {
            "authorization_url": f"{request.root_url}checkout/{transaction.access_code}",
            "reference": transaction.reference,
            "access_code": transaction.access_code,
            "paused": True,
        },
    }
