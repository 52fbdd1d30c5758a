"""What Paystack's JSON means: with `charges` and `notices`, all that knows its field names.

Requests go out exactly as documented. Answers are read with suspicion: an amount that is
missing, a status that is no word or a reference that is not the one asked for is no answer
at all, and nothing is guessed.

Sources: https://paystack.com/docs/api/transaction/ and its samples;
https://paystack.com/docs/payments/webhooks/ for the events.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import orjson

from creditcore.domain.errors import PaymentGatewayUnavailableError
from creditcore.domain.money import Money
from creditcore.domain.purchases import Payment, PaymentStatus
from creditcore.domain.saved_cards import ReusableCard
from creditcore.ports.card_gateway import CardCharge
from creditcore.ports.payments import CheckoutRequest

_BUSY = frozenset({408, 429})
"""Statuses of a request that may do better when it comes again."""

# Only documented characters. The first one is never a dot: "." and ".." mean something in a path.
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.=-]{0,99}")


_DIGITS = re.compile(r"[0-9]{1,19}")


_MAX_TEXT_LENGTH = 200


# https://paystack.com/docs/payments/verify-payments/; "reversal-pending" is seen while a
# refund is under way. A word that is not listed is a new one, and waits like a pending payment.
_STATUSES = {
    "success": PaymentStatus.SUCCEEDED,
    "failed": PaymentStatus.FAILED,
    # A phone whose owner did not answer; "may start a new charge" is what the docs say of it.
    "timeout": PaymentStatus.FAILED,
    "reversed": PaymentStatus.REVERSED,
    "reversal-pending": PaymentStatus.REVERSED,
    # Not given up for good: also seen before the first attempt and after a declined card.
    "abandoned": PaymentStatus.PENDING,
    "ongoing": PaymentStatus.PENDING,
    "pending": PaymentStatus.PENDING,
    "processing": PaymentStatus.PENDING,
    "queued": PaymentStatus.PENDING,
}


def is_reference(text: str) -> bool:
    """Whether Paystack takes this as a reference."""
    return _REFERENCE.fullmatch(text) is not None


def initialize_body(request: CheckoutRequest, *, channels: Sequence[str]) -> bytes:
    """Write the request that starts a checkout."""
    metadata = {
        "cancel_action": request.cancel_url,
        "custom_fields": [
            {
                "display_name": "Purchase",
                "variable_name": "purchase",
                "value": request.description,
            }
        ],
    }
    return orjson.dumps(
        {
            "email": request.email,
            "amount": request.amount.minor_units,
            # Left out, it would be the account's default currency.
            "currency": request.amount.currency,
            "reference": request.reference,
            "callback_url": request.return_url,
            "channels": list(channels),
            # The API reference wants a JSON string here; an object loses the types inside it.
            "metadata": orjson.dumps(metadata).decode(),
        }
    )


class PaystackRefusedError(PaymentGatewayUnavailableError):
    """Paystack answered and refuses to serve this request: asking again changes nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in Paystack's envelope.

    Attributes:
        http_status: 200 or 201 for a call that was accepted, which never means "paid";
            400 or 404 for one that was refused.
        envelope: The whole document.
    """

    http_status: int
    envelope: Mapping[str, object]

    @classmethod
    def parse(cls, http_status: int, body: bytes) -> Self:
        """Read an answer.

        Raises:
            PaymentGatewayUnavailableError: It answers nothing: Paystack is down, limits
                our requests, refuses our key, or something else speaks in its place.
        """
        if http_status in {401, 403}:
            raise _key_refused(http_status)
        if http_status not in {200, 201, 400, 404}:
            is_final = 400 <= http_status < 500 and http_status not in _BUSY
            kind = PaystackRefusedError if is_final else PaymentGatewayUnavailableError
            raise kind(f"Paystack answered with HTTP {http_status}.")
        try:
            envelope = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise unusable(http_status, "it is not JSON") from error
        if not isinstance(envelope, dict):
            raise unusable(http_status, "it is not a JSON object")
        answer = cls(http_status, envelope)
        # The documented sample of a refused key has status 400, not 401.
        if http_status == 400 and answer.message.lower().startswith("invalid key"):
            raise _key_refused(http_status)
        return answer

    @property
    def message(self) -> str:
        """Paystack's own words, safe to show; never empty."""
        return text(self.envelope.get("message")) or "Paystack gave no reason."

    @property
    def is_duplicate(self) -> bool:
        """Whether Paystack knew the reference already, so that it did receive it once."""
        return self.http_status == 400 and (
            self.envelope.get("code") == "duplicate_reference"
            or self.message.lower().startswith("duplicate transaction reference")
        )

    @property
    def refusal(self) -> str:
        """Why a call was refused: what a charge says itself comes before the envelope."""
        return _failure(mapping(self.envelope.get("data"))) or self.message

    @property
    def is_unknown_reference(self) -> bool:
        """Whether Paystack never heard of the reference that was asked for."""
        if self.http_status == 404:
            # Any JSON object could come from a proxy in between; Paystack's says so itself.
            status = self.envelope.get("status")
            return status is False or status == "false"
        return self.http_status == 400 and (
            self.envelope.get("code") == "transaction_not_found"
            # Several errors come without a code.
            or self.message.lower().startswith("transaction reference not found")
        )

    def data(self) -> Mapping[str, object]:
        """Return what an accepted call was about.

        Raises:
            PaymentGatewayUnavailableError: It was not accepted, or says nothing.
        """
        if self.http_status not in {200, 201} or self.envelope.get("status") is not True:
            raise unusable(self.http_status, self.message)
        data = self.envelope.get("data")
        if not isinstance(data, dict):
            raise unusable(self.http_status, "it has no data")
        return data


def read_checkout_url(answer: Answer, *, reference: str) -> str:
    """Return the address of the page where the payer pays.

    Raises:
        PaymentGatewayUnavailableError: The answer does not name one for this reference.
    """
    data = answer.data()
    check_reference(answer, data, reference)
    url = data.get("authorization_url")
    if not isinstance(url, str):
        raise unusable(answer.http_status, "it names no page to pay on")
    return url


def read_card_charge(answer: Answer, *, reference: str) -> CardCharge:
    """Return what became of the charge of a saved card.

    Where the bank wants to see the holder, the answer is ``paused``, has no status, and names a
    page; nothing is paid until they were there.

    Raises:
        PaymentGatewayUnavailableError: The answer is about another charge, or garbled.
    """
    data = answer.data()
    check_reference(answer, data, reference)
    status = data.get("status")
    url = data.get("authorization_url")
    if (data.get("paused") is True or status is None) and isinstance(url, str) and url:
        return CardCharge(status=PaymentStatus.PENDING, challenge_url=url)
    if not isinstance(status, str):
        raise unusable(answer.http_status, "it has no status")
    known = status_of(status)
    why = why_failed(data, status) if known is PaymentStatus.FAILED else ""
    return CardCharge(status=known, message=why)


def read_payment(answer: Answer, *, reference: str) -> Payment:
    """Return the payment that was asked for.

    Raises:
        PaymentGatewayUnavailableError: The answer is about another payment, or garbled.
    """
    data = answer.data()
    check_reference(answer, data, reference)
    return _payment(answer, data, reference)


def payment_of(row: Mapping[str, object]) -> Payment | None:
    """Return the payment of a row of the list; None where it is garbled."""
    reference = row.get("reference")
    if not isinstance(reference, str):
        return None
    try:
        return _payment(Answer(200, {}), row, text(reference))
    except PaymentGatewayUnavailableError:
        return None


def _payment(answer: Answer, data: Mapping[str, object], reference: str) -> Payment:
    status = data.get("status")
    if not isinstance(status, str):
        raise unusable(answer.http_status, "it has no status")
    payment_status = status_of(status)
    return Payment(
        reference=reference,
        status=payment_status,
        amount=amount_of(answer, data),
        provider_id=identifier(data.get("id")),
        channel=text(data.get("channel")),
        message=why_failed(data, status) if payment_status is PaymentStatus.FAILED else "",
        card=_card(data) if payment_status is PaymentStatus.SUCCEEDED else None,
        receipt_code=_receipt_code(data),
    )


def _receipt_code(data: Mapping[str, object]) -> str:
    """Return the mobile network's code; a card's terminal has a number there that names nothing."""
    is_mobile = data.get("channel") == "mobile_money"
    return identifier(data.get("receipt_number")) if is_mobile else ""


def _card(data: Mapping[str, object]) -> ReusableCard | None:
    """Return the card of a payment, where it may be charged again; phones and banks never can.

    Brands come with trailing blanks, and years as text or numbers.
    """
    card = mapping(data.get("authorization"))
    code, signature = text(card.get("authorization_code")), text(card.get("signature"))
    email = text(mapping(data.get("customer")).get("email"))
    is_reusable = card.get("reusable") is True and card.get("channel") == "card"
    if not is_reusable or not code or not signature or not email:
        return None
    year, month = identifier(card.get("exp_year")), identifier(card.get("exp_month"))
    has_date = year.isdecimal() and month.isdecimal()
    return ReusableCard(
        code=code,
        signature=signature,
        email=email,
        brand=text(card.get("brand")) or text(card.get("card_type")),
        last4=text(card.get("last4"))[-4:],
        expires=f"{int(year):04d}-{int(month):02d}" if has_date else "",
        bank=text(card.get("bank")),
    )


def read_rows(answer: Answer) -> list[Mapping[str, object]]:
    """Return the rows of a list.

    Raises:
        PaymentGatewayUnavailableError: It was not accepted, or is no list of objects.
    """
    rows = answer.envelope.get("data")
    if answer.http_status not in {200, 201} or answer.envelope.get("status") is not True:
        raise unusable(answer.http_status, answer.message)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise unusable(answer.http_status, "it is no list")
    return rows


def status_of(word: str) -> PaymentStatus:
    """Return what a word of Paystack's means; one of tomorrow waits like a pending payment."""
    return _STATUSES.get(word, PaymentStatus.PENDING)


def check_reference(answer: Answer, data: Mapping[str, object], reference: str) -> None:
    """Refuse an answer that speaks of another payment.

    Raises:
        PaymentGatewayUnavailableError: It does.
    """
    if data.get("reference") != reference:
        raise unusable(answer.http_status, "it is about another reference")


def amount_of(answer: Answer, data: Mapping[str, object]) -> Money:
    """Return the exact amount of a payment or refund.

    Raises:
        PaymentGatewayUnavailableError: There is none.
    """
    amount = money(data.get("amount"), data.get("currency"))
    if amount is None:
        raise unusable(answer.http_status, "it has no exact amount")
    return amount


def money(amount: object, currency: object) -> Money | None:
    """Return an exact amount, which comes as a number or as digits; None for anything else."""
    if isinstance(amount, str) and _DIGITS.fullmatch(amount):
        amount = int(amount)
    # bool is an int to isinstance(), and a float has lost the cents already.
    if type(amount) is not int or amount < 0 or not isinstance(currency, str):
        return None
    try:
        return Money(amount, currency)
    except ValueError:
        return None


def identifier(value: object) -> str:
    """Return a number of Paystack's as text; empty where there is none."""
    return str(value) if type(value) is int else text(value)


def _failure(data: Mapping[str, object]) -> str:
    # M-PESA explains itself in the first, cards in the second.
    return text(data.get("message")) or text(data.get("gateway_response"))


def why_failed(data: Mapping[str, object], status: str) -> str:
    """Return why a payment failed; a phone that did not answer says so in its status alone."""
    return _failure(data) or (status if status == "timeout" else "")


def text(value: object) -> str:
    """Return text fit for a page, a log line and a database column; empty for anything else."""
    if not isinstance(value, str):
        return ""
    printable = "".join(character for character in value if character.isprintable())
    return printable.strip()[:_MAX_TEXT_LENGTH]


def mapping(value: object) -> Mapping[str, object]:
    """Return an object of JSON; empty for anything else."""
    return value if isinstance(value, dict) else {}


def unusable(http_status: int, reason: str) -> PaymentGatewayUnavailableError:
    """Return the error of an answer that cannot be used."""
    # A server that says so without Paystack's envelope has no such address, now or soon.
    kind = PaystackRefusedError if http_status == 404 else PaymentGatewayUnavailableError
    return kind(f"Paystack's answer (HTTP {http_status}) cannot be used: {reason}")


def _key_refused(http_status: int) -> PaystackRefusedError:
    return PaystackRefusedError(
        f"Paystack refused our secret key (HTTP {http_status}): check PAYSTACK_SECRET_KEY, "
        "and the list of allowed addresses on Paystack's dashboard."
    )
