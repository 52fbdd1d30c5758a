"""Charges on phones: what is sent, what each answer means, and what the payer has to type.

Sources: https://paystack.com/docs/api/charge/, and its samples for ``submit_otp``,
``submit_phone``, ``submit_birthday`` and ``submit_address``;
https://paystack.com/docs/payments/payment-channels/ for what each network answers.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from adapters.paystack.payloads import (
    Answer,
    check_reference,
    status_of,
    text,
    unusable,
    why_failed,
)
from creditcore.domain.payer_details import PayerAnswer, PayerDetail
from creditcore.domain.purchases import PaymentStatus
from creditcore.ports.payments import MobileCharge, MobileChargeRequest

_STEPS = {
    "send_otp": PayerDetail.OTP,
    "send_phone": PayerDetail.PHONE,
    "send_birthday": PayerDetail.BIRTHDAY,
    "send_address": PayerDetail.ADDRESS,
    "send_pin": PayerDetail.PIN,
}
_FIELDS = {
    PayerDetail.OTP: ("otp",),
    PayerDetail.PHONE: ("phone",),
    PayerDetail.BIRTHDAY: ("birthday",),
    PayerDetail.ADDRESS: ("address", "city", "state", "zip_code"),
}
_MIN_SECRET_LENGTH = 3
_HIDDEN = "***"


def charge_body(request: MobileChargeRequest) -> bytes:
    """Write the request that asks a phone to pay."""
    return orjson.dumps(
        {
            "email": request.email,
            "amount": request.amount.minor_units,
            "currency": request.amount.currency,
            "reference": request.reference,
            "mobile_money": {"phone": request.phone, "provider": request.network},
        }
    )


def submit_path(answer: PayerAnswer) -> str:
    """Return where an answer of the payer's is sent."""
    return f"/charge/submit_{answer.detail.value}"


def submit_body(reference: str, answer: PayerAnswer) -> bytes:
    """Write the request that passes an answer of the payer's on."""
    fields = {name: answer.fields[name] for name in _FIELDS[answer.detail]}
    return orjson.dumps({**fields, "reference": reference})


def read_charge(answer: Answer, *, reference: str) -> MobileCharge:
    """Return how a charge on a phone goes on.

    Raises:
        PaymentGatewayUnavailableError: The answer is about another charge, or garbled.
    """
    data = answer.data()
    check_reference(answer, data, reference)
    status = data.get("status")
    if not isinstance(status, str):
        raise unusable(answer.http_status, "it has no status")
    known = status_of(status)
    if known is PaymentStatus.FAILED:
        return MobileCharge(status=known, message=why_failed(data, status))
    url = data.get("url")
    return MobileCharge(
        status=known,
        message=text(data.get("display_text")),
        asks_for=_STEPS.get(status),
        page_url=url if status == "open_url" and isinstance(url, str) else "",
    )


def without_secrets(words: str, answer: PayerAnswer) -> str:
    """Return Paystack's words about an answer without what the payer typed."""
    for typed in answer.fields.values():
        if len(typed) >= _MIN_SECRET_LENGTH:
            words = words.replace(typed, _HIDDEN)
    return words


def charge_without_secrets(charge: MobileCharge, answer: PayerAnswer) -> MobileCharge:
    """Return a charge whose message repeats nothing of what the payer typed."""
    return replace(charge, message=without_secrets(charge.message, answer))
