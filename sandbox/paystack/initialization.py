"""What ``POST /transaction/initialize`` accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from sandbox.paystack.errors import invalid

# Paystack's own minimum per transaction, in subunits: $2.00, Ksh 3.00 and so on.
MINIMUM_AMOUNTS = {"USD": 200, "KES": 300, "NGN": 5_000, "GHS": 10, "ZAR": 100, "XOF": 100}

# A currency that callers rarely mean, so that forgetting to send one shows.
DEFAULT_CURRENCY = "KES"

CHANNELS = frozenset(
    {
        "card",
        "bank",
        "apple_pay",
        "ussd",
        "qr",
        "mobile_money",
        "bank_transfer",
        "eft",
        "capitec_pay",
        "payattitude",
    }
)
CHANNELS_OF_CURRENCY = {
    "USD": ("card", "apple_pay"),
    "KES": ("card", "mobile_money", "bank_transfer"),
    "NGN": ("card", "bank", "bank_transfer", "ussd", "apple_pay"),
    "GHS": ("card", "mobile_money"),
    "ZAR": ("card", "eft", "qr", "capitec_pay", "apple_pay"),
    "XOF": ("card", "mobile_money"),
}

# Documented characters only: the real service lets "_" pass, which no client should rely on.
REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialization:
    """A checkout that may begin.

    Attributes:
        amount: Subunits asked for.
        reference: None when one has to be generated.
        metadata: What the caller attached, as it will come back.
        cancel_url: Where the payer goes after cancelling, when the metadata name a place.
    """

    email: str
    amount: int
    currency: str
    reference: str | None
    callback_url: str | None
    channel: str
    metadata: object
    cancel_url: str | None

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the request's fields.

        Raises:
            PaystackError: A field is missing or refused.
        """
        email = read_email(body)
        currency = read_currency(body)
        metadata = read_metadata(body)
        return cls(
            email=email,
            amount=read_amount(body, currency),
            currency=currency,
            reference=read_reference(body),
            callback_url=_callback_url(body.get("callback_url")),
            channel=_channel(body.get("channels"), currency),
            metadata=metadata,
            cancel_url=_cancel_url(metadata),
        )


def read_email(body: Mapping[str, Any]) -> str:
    """Return the payer's address, or refuse it as Paystack does."""
    email = body.get("email")
    if not isinstance(email, str) or not EMAIL.fullmatch(email):
        raise invalid("Invalid Email Address Passed", "invalid_email_address")
    return email


def read_currency(body: Mapping[str, Any]) -> str:
    """Return the currency, or that of the account where none is sent."""
    currency = body.get("currency", DEFAULT_CURRENCY)
    if not isinstance(currency, str) or currency not in MINIMUM_AMOUNTS:
        raise invalid("Currency not supported by merchant", "unsupported_currency")
    return currency


def read_amount(body: Mapping[str, Any], currency: str) -> int:
    """Return the subunits that are asked for, or refuse them as Paystack does."""
    value = body.get("amount")
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        raise invalid("Invalid Amount Sent", "invalid_amount")
    if type(value) is not int:
        raise invalid('"amount" must be an integer', "invalid_amount")
    if value < MINIMUM_AMOUNTS[currency]:
        raise invalid("Invalid Amount Sent", "invalid_amount")
    return value


def read_reference(body: Mapping[str, Any]) -> str | None:
    """Return the caller's reference; None where one has to be made."""
    value = body.get("reference")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not REFERENCE.fullmatch(value):
        raise invalid(
            "Invalid transaction reference: only -, ., = and alphanumeric characters",
            "invalid_reference",
        )
    return value


def _callback_url(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not is_web_address(value):
        raise invalid('"callback_url" must be a valid uri')
    return str(value)


def _channel(value: object, currency: str) -> str:
    """Return the channel that the checkout page will offer."""
    if value is None:
        return "card"
    if not isinstance(value, list) or not CHANNELS.issuperset(map(str, value)):
        raise invalid('"channels" must be an array of known channels')
    offered = [channel for channel in value if channel in CHANNELS_OF_CURRENCY[currency]]
    if not offered:
        raise invalid(
            "No active channel to process transaction. Please contact merchant", "no_active_channel"
        )
    return str(offered[0])


def read_metadata(body: Mapping[str, Any]) -> object:
    """Return metadata as echoed: a JSON string keeps types, an object's numbers become text."""
    value = body.get("metadata", "")
    if isinstance(value, str):
        if value == "":
            return ""
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise invalid("Invalid metadata: not a JSON string", "invalid_metadata") from error
    if isinstance(value, dict):
        return _numbers_as_text(value)
    raise invalid("Invalid metadata: must be a JSON string or an object", "invalid_metadata")


def _numbers_as_text(value: object) -> object:
    if isinstance(value, dict):
        return {name: _numbers_as_text(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbers_as_text(part) for part in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _cancel_url(metadata: object) -> str | None:
    url = metadata.get("cancel_action") if isinstance(metadata, dict) else None
    return str(url) if is_web_address(url) else None


def is_web_address(value: object) -> bool:
    """Tell whether a value is an absolute http or https URL."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
