"""Fiscal stamps: what a tax authority's device or service said of a receipt or credit note.

A document never changes, so its stamp stands beside it. Kenya's control units give a number,
internal data, a signature and the address of a QR code; Nigeria's service gives an invoice
reference number (IRN), a cryptographic stamp identifier (CSID), which is kept as the signature,
and the text of a QR code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from urllib.parse import urlsplit

from creditcore.domain.documents import Document
from creditcore.domain.errors import InvalidRequestError

MAX_LENGTHS = {
    "control_unit": 64,
    "invoice_number": 128,
    "internal_data": 128,
    "signature": 512,
    "qr": 1000,
}
"""How many characters each text may have. A QR code of 1,000 can still be read from paper."""

CLOCK_SKEW = timedelta(minutes=10)
"""How far a device's clock may be ahead of ours. A time that lost its zone is ahead by hours."""

_GROUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalStamp:
    """What a device said of one document.

    Attributes:
        control_unit: The device's own number; empty where there is none, as in Nigeria.
        invoice_number: The number that the device gave the document: the control unit invoice
            number, or the IRN. It belongs to one document.
        internal_data: A code that Kenya's devices print; else empty.
        signature: The receipt's signature, or the CSID; empty where the QR code holds it.
        signed_at: When the device signed.
        qr: What the QR code says, an http(s) address or other text; empty where there is none.
    """

    control_unit: str
    invoice_number: str
    internal_data: str
    signature: str
    signed_at: datetime
    qr: str

    @classmethod
    def entered(
        cls,
        *,
        invoice_number: str,
        signed_at: str,
        control_unit: str = "",
        internal_data: str = "",
        signature: str = "",
        qr: str = "",
        now: datetime,
    ) -> Self:
        """Read what an operator copied from a device.

        A bare count of the device, such as ``152``, becomes the number that is printed, with the
        control unit before it: ``KRACU0100000001/152``. The time is written as in RFC 3339, with
        its zone: ``2026-11-30T10:15:00+03:00``; it is not after ``now``, but for ``CLOCK_SKEW``.

        Raises:
            InvalidRequestError: Something is missing, too long, or makes no sense; ``param`` says
                what.
        """
        texts = {
            "control_unit": control_unit.strip(),
            "invoice_number": invoice_number.strip(),
            "internal_data": internal_data.strip(),
            "signature": signature.strip(),
            "qr": qr.strip(),
        }
        if texts["control_unit"] and texts["invoice_number"].isdecimal():
            texts["invoice_number"] = f"{texts['control_unit']}/{texts['invoice_number']}"
        for name, text in texts.items():
            _check_text(name, text)
        if not texts["invoice_number"]:
            raise InvalidRequestError("The invoice number is missing.", param="invoice_number")
        if not texts["signature"] and not texts["qr"]:
            raise InvalidRequestError(
                "Neither signature nor QR code: such a stamp cannot be checked.", param="signature"
            )
        _check_address(texts["qr"])
        return cls(signed_at=_instant(signed_at, now=now), **texts)

    @property
    def link(self) -> str:
        """The address in the QR code, where people can check the document; else empty."""
        return self.qr if _is_address(self.qr) else ""

    @property
    def lines(self) -> Sequence[tuple[str, str]]:
        """What is printed beside the time and the QR code: each text with its label."""
        number = "Control unit invoice number" if self.control_unit else "Tax invoice number"
        lines = (
            ("Control unit", self.control_unit),
            (number, self.invoice_number),
            ("Internal data", in_groups(self.internal_data)),
            ("Signature", in_groups(self.signature)),
        )
        return [line for line in lines if line[1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedDocument:
    """A document, and what stands beside it.

    Attributes:
        stamp: None where there is none, or none yet.
        awaits_stamp: Whether the seller has to have it stamped, and has not yet.
    """

    document: Document
    stamp: FiscalStamp | None = None
    awaits_stamp: bool = False


def in_groups(code: str) -> str:
    """Return a code of letters and digits in groups of four, as devices print it.

    Another text, such as a signature in base64, has to be copied as it is.
    """
    if not code.isalnum():
        return code
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def parse_stamp_rules(text: str) -> dict[str, datetime]:
    """Read from which day (UTC) documents need a stamp, by currency: ``KES=2026-12-01``.

    Raises:
        ValueError: It is no list of currencies with a day each.
    """
    rules = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        currency, _, day = (piece.strip() for piece in part.partition("="))
        try:
            since = datetime.combine(date.fromisoformat(day), time(), UTC)
        except ValueError:
            since = None
        if since is None or currency in rules or len(currency) != 3 or not currency.isupper():
            raise ValueError(f"one day for each currency, as in KES=2026-12-01, not {part!r}")
        rules[currency] = since
    return rules


def _check_text(name: str, text: str) -> None:
    words = name.replace("_", " ").replace("qr", "QR code")
    if len(text) > MAX_LENGTHS[name]:
        raise InvalidRequestError(
            f"The {words} is longer than {MAX_LENGTHS[name]:,} characters.", param=name
        )
    if not text.isascii() or not text.isprintable():
        raise InvalidRequestError(f"The {words} has characters that no device prints.", param=name)


def _check_address(qr: str) -> None:
    """Refuse an http(s) address that leads nowhere; other text of a QR code may be anything."""
    if qr.lower().startswith(("http:", "https:")) and not _is_address(qr):
        raise InvalidRequestError(
            "The QR code is no http(s) address that can be opened.", param="qr"
        )


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # Reading the port tells whether it is one.
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.scheme in {"http", "https"} and " " not in text


def _instant(text: str, *, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidRequestError(
            f"{text!r} is no time; write it like 2026-11-30T10:15:00+03:00.", param="signed_at"
        ) from None
    if at.tzinfo is None:
        raise InvalidRequestError(
            f"{text!r} lacks its zone; write it like 2026-11-30T10:15:00+03:00.", param="signed_at"
        )
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        raise InvalidRequestError(f"{text!r} is no time of our age.", param="signed_at") from None
    if at > now + CLOCK_SKEW:
        raise InvalidRequestError(f"{text!r} lies ahead; is its zone right?", param="signed_at")
    return at
