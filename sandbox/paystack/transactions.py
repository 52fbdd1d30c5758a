"""Transactions: their life, and how the API shows them."""

from __future__ import annotations

import itertools
import secrets
import string
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from sandbox.paystack.errors import duplicate_reference
from sandbox.paystack.initialization import Initialization
from sandbox.paystack.instants import instant_text
from sandbox.paystack.phones import receipt_number_of
from sandbox.paystack.quirks import Quirk, quirks_of

Status = Literal["abandoned", "success", "failed", "reversed", "reversal-pending"]

# The oldest are forgotten beyond this, so that a long benchmark cannot fill the memory.
MAX_TRANSACTIONS = 50_000

# The second refused card ends a transaction; after the first one the payer may try again.
DECLINES_UNTIL_FAILED = 2

# Per thousand of the amount, for a Kenyan business.
FEES_PER_MILLE = {("USD", "card"): 38, ("KES", "card"): 29, ("KES", "mobile_money"): 15}

CARD: dict[str, Any] = {
    "bin": "408408",
    "last4": "4081",
    "exp_month": "12",
    "exp_year": "2030",
    "channel": "card",
    # The real service sends the trailing space.
    "card_type": "visa ",
    "bank": "TEST BANK",
    "country_code": "KE",
    "brand": "visa",
    "reusable": True,
    "signature": "SIG_sandboxCard000000001",
    "account_name": None,
}
MOBILE_MONEY: dict[str, Any] = {
    "bin": "071XXX",
    "last4": "X000",
    "exp_month": "12",
    "exp_year": "9999",
    "channel": "mobile_money",
    "card_type": "",
    "bank": "M-PESA",
    "country_code": "KE",
    "brand": "M-pesa",
    "reusable": False,
    "signature": None,
    "account_name": None,
}


class AlreadyFinishedError(Exception):
    """The transaction has reached its end and cannot be paid or refused any more."""


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One payment.

    Attributes:
        id: Paystack's number, above 32 bits as real ones are.
        checkout: What was asked when the transaction was initialised.
        status: ``abandoned`` until the payer has finished: Paystack's word for not paid yet.
        phone: The number that a charge asks, and ``provider`` its network.
        message: Why a charge on a phone failed.
        timed_out: Whether it failed because the phone was not answered.
        steps: What the payer has to type before the charge goes on, the next one first.
        charged_code: The code of the saved card that was charged for it.
    """

    id: int
    reference: str
    access_code: str
    customer_id: int
    checkout: Initialization
    ip_address: str
    created_at: datetime
    status: Status = "abandoned"
    gateway_response: str = "The transaction was not completed"
    declines: int = 0
    paid_at: datetime | None = None
    phone: str = ""
    provider: str = ""
    charge_status: str = ""
    display_text: str = ""
    message: str | None = None
    timed_out: bool = False
    steps: list[str] = field(default_factory=list)
    charged_code: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def quirks(self) -> frozenset[Quirk]:
        """How this payment misbehaves."""
        return quirks_of(self.checkout.email)

    @property
    def fees(self) -> int:
        """Paystack's share, in subunits, rounded up."""
        per_mille = FEES_PER_MILLE.get((self.checkout.currency, self.checkout.channel), 29)
        return -(-self.checkout.amount * per_mille // 1000)

    @property
    def amount(self) -> int:
        """What the API says was paid, in subunits."""
        if Quirk.UNDERPAY in self.quirks:
            return self.checkout.amount - 1
        if Quirk.OVERPAY in self.quirks:
            return self.checkout.amount + self.fees
        return self.checkout.amount

    @property
    def currency(self) -> str:
        """The currency that the API says was paid."""
        if Quirk.WRONG_CURRENCY in self.quirks:
            return "USD" if self.checkout.currency == "KES" else "KES"
        return self.checkout.currency

    @property
    def metadata(self) -> object:
        """The metadata in the shape in which the API returns them."""
        shapes: dict[Quirk, object] = {
            Quirk.METADATA_ZERO: 0,
            Quirk.METADATA_NULL: None,
            Quirk.METADATA_EMPTY: "",
            Quirk.METADATA_STRING: orjson.dumps(self.checkout.metadata).decode(),
        }
        return next(
            (shape for quirk, shape in shapes.items() if quirk in self.quirks),
            self.checkout.metadata,
        )

    def pay(self) -> None:
        """Let the payment succeed.

        Raises:
            AlreadyFinishedError: It was paid, or refused for good.
        """
        self._refuse_when_finished()
        self.status = "success"
        self.gateway_response = "Successful"
        self.paid_at = _now()
        self._remember("success", f"Successfully paid with {self.checkout.channel}")

    def decline(self) -> None:
        """Refuse the payer's card; the second time ends the transaction.

        Raises:
            AlreadyFinishedError: It was paid, or refused for good.
        """
        self._refuse_when_finished()
        self.declines += 1
        self.gateway_response = "Declined"
        self._remember("error", "Error: Declined")
        if self.declines >= DECLINES_UNTIL_FAILED:
            self.status = "failed"

    def abandon(self) -> None:
        """Let the payer walk away; the payment can still succeed later.

        Raises:
            AlreadyFinishedError: It was paid, or refused for good.
        """
        self._refuse_when_finished()

    def fail(self) -> None:
        """Refuse the payment for good.

        Raises:
            AlreadyFinishedError: It was paid, or refused for good.
        """
        self.declines = max(self.declines, DECLINES_UNTIL_FAILED - 1)
        self.decline()

    def end_charge(self, message: str, *, timed_out: bool = False) -> None:
        """Let a charge on a phone fail: one refusal is enough, as one wrong PIN kills it.

        Raises:
            AlreadyFinishedError: It was paid, or refused for good.
        """
        self._refuse_when_finished()
        self.status = "failed"
        self.timed_out = timed_out
        self.message = message
        self.gateway_response = "Declined"
        self._remember("error", f"Error: {message}")

    def reverse(self) -> None:
        """Give a successful payment back.

        Raises:
            AlreadyFinishedError: There is nothing to give back.
        """
        if self.status != "success":
            raise AlreadyFinishedError
        self.status = "reversed"

    def as_verified(self) -> dict[str, Any]:
        """Return the transaction as verify and the listings show it."""
        is_by_phone = self.paid_at is not None and self.checkout.channel == "mobile_money"
        return {
            **self._shared_fields(),
            "receipt_number": receipt_number_of(self.reference) if is_by_phone else None,
            "message": self.message,
            "log": self._log(),
            "fees": self.fees if self.paid_at else None,
            "plan": None,
            "split": {},
            "order_id": None,
            "createdAt": instant_text(self.created_at),
            "requested_amount": self.checkout.amount,
            "pos_transaction_data": None,
            "source": None,
            "fees_breakdown": None,
            "connect": None,
            "transaction_date": instant_text(self.created_at),
            "plan_object": {},
            "subaccount": {},
        }

    def as_listed(self) -> dict[str, Any]:
        """Return the transaction as a row of the listing."""
        source = {
            "source": "merchant_api",
            "type": "api",
            "identifier": None,
            "entry_point": "transaction_initialize",
        }
        return {**self.as_verified(), "source": source}

    def as_event(self) -> dict[str, Any]:
        """Return the transaction as in a ``charge.success`` event; its shape is not verify's."""
        return {
            **self._shared_fields(),
            "message": None,
            "log": self._log(),
            "fees": self.fees,
            "plan": {},
            "subaccount": {},
            "subaccount_group": {},
        }

    def _shared_fields(self) -> dict[str, Any]:
        paid_at = None if self.paid_at is None else instant_text(self.paid_at)
        return {
            "id": self.id,
            "domain": "test",
            "status": self.status,
            "reference": self.reference,
            "amount": self.amount,
            "gateway_response": self.gateway_response,
            "paid_at": paid_at,
            "created_at": instant_text(self.created_at),
            "channel": self.checkout.channel,
            "currency": self.currency,
            "ip_address": self.ip_address,
            "metadata": self.metadata,
            "fees_split": None,
            "authorization": self._authorization(),
            "customer": self._customer(),
            "paidAt": paid_at,
        }

    def _authorization(self) -> dict[str, Any]:
        if self.paid_at is None:
            return {}
        means = MOBILE_MONEY if self.checkout.channel == "mobile_money" else CARD
        if self.phone:
            means = MOBILE_MONEY | {
                "bin": f"{self.phone[-9:-6]}XXX",
                "last4": f"X{self.phone[-3:]}",
            }
        if Quirk.CARD_ONCE in self.quirks:
            means = means | {"reusable": False}
        return {"authorization_code": self.authorization_code, **means}

    @property
    def authorization_code(self) -> str:
        """The code of what paid, the one that was charged where one was."""
        return self.charged_code or f"AUTH_{self.access_code[:10]}"

    def _customer(self) -> dict[str, Any]:
        return {
            "id": self.customer_id,
            "first_name": None,
            "last_name": None,
            "email": self.checkout.email,
            "customer_code": f"CUS_{self.customer_id:015d}",
            "phone": None,
            "metadata": None,
            "risk_action": "default",
            "international_format_phone": None,
        }

    def _log(self) -> dict[str, Any] | None:
        if not self.history:
            return None
        return {
            "start_time": int(self.created_at.timestamp()),
            "time_spent": self.history[-1]["time"],
            "attempts": self.declines + (1 if self.paid_at else 0),
            "errors": self.declines,
            "success": self.paid_at is not None,
            "mobile": False,
            "input": [],
            "history": self.history,
        }

    def _remember(self, kind: str, message: str) -> None:
        seconds = int((_now() - self.created_at).total_seconds())
        self.history.append({"type": kind, "message": message, "time": seconds})

    def _refuse_when_finished(self) -> None:
        if self.status != "abandoned":
            raise AlreadyFinishedError


class Transactions:
    """Every transaction of this integration, newest last."""

    def __init__(self) -> None:
        """Start without transactions."""
        self._by_reference: OrderedDict[str, Transaction] = OrderedDict()
        self._by_access_code: dict[str, Transaction] = {}
        self._customer_ids: dict[str, int] = {}
        # Above 32 bits, because real ids are: who stores them in 32 bits fails here first.
        self._ids = itertools.count(5_012_345_678)

    def __iter__(self) -> Iterator[Transaction]:
        """Return the newest transaction first."""
        return reversed(list(self._by_reference.values()))

    def add(self, checkout: Initialization, *, ip_address: str) -> Transaction:
        """Begin a transaction.

        Raises:
            PaystackError: The reference was used before.
        """
        reference = checkout.reference or _random_name(20)
        if reference in self._by_reference:
            raise duplicate_reference()
        transaction = Transaction(
            id=next(self._ids),
            reference=reference,
            access_code=_random_name(15),
            customer_id=self._customer_id(checkout.email),
            checkout=checkout,
            ip_address=ip_address,
            created_at=_now(),
        )
        self._by_reference[reference] = transaction
        self._by_access_code[transaction.access_code] = transaction
        if len(self._by_reference) > MAX_TRANSACTIONS:
            _, oldest = self._by_reference.popitem(last=False)
            del self._by_access_code[oldest.access_code]
        return transaction

    def find(self, reference: str) -> Transaction | None:
        """Return the transaction of a reference."""
        return self._by_reference.get(reference)

    def find_by_id(self, transaction_id: int) -> Transaction | None:
        """Return the transaction with Paystack's number."""
        return next((transaction for transaction in self if transaction.id == transaction_id), None)

    def find_by_access_code(self, access_code: str) -> Transaction | None:
        """Return the transaction of a checkout page."""
        return self._by_access_code.get(access_code)

    def clear(self) -> None:
        """Forget all transactions; numbers go on."""
        self._by_reference.clear()
        self._by_access_code.clear()
        self._customer_ids.clear()

    def _customer_id(self, email: str) -> int:
        if len(self._customer_ids) >= MAX_TRANSACTIONS:
            self._customer_ids.clear()
        return self._customer_ids.setdefault(email.lower(), 181_900_001 + len(self._customer_ids))


def _now() -> datetime:
    return datetime.now(UTC)


def _random_name(length: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))
