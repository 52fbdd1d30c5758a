"""What a provider wants a payer to type on our page before a payment goes on.

Networks that ask no phone by themselves want a code first: one that they send, or one that their
menu shows. What is typed is passed on and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PayerDetail(StrEnum):
    """One thing that is asked of a payer. Stored, and shown to programs, by these words."""

    OTP = "otp"
    PHONE = "phone"
    BIRTHDAY = "birthday"
    ADDRESS = "address"
    PIN = "pin"

    @property
    def may_be_typed(self) -> bool:
        """Whether we take it: a PIN belongs on the payer's own phone, never on a page."""
        return self is not PayerDetail.PIN


@dataclass(frozen=True, slots=True)
class PayerAnswer:
    """What the payer typed.

    Attributes:
        detail: What was asked.
        fields: The answer: ``otp``; ``phone`` in E.164; ``birthday`` as an ISO date; or
            ``address``, ``city``, ``state`` and ``zip_code``. Never printed.
    """

    detail: PayerDetail
    fields: Mapping[str, str] = field(repr=False)
