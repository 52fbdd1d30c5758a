"""Phone numbers in any spelling, for the networks that can pay."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.payments import MobileNetwork

_MAX_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can be called.

    Attributes:
        e164: For machines: ``+254710000000``.
        shown: For people: ``+254 710 000000``.
    """

    e164: str
    shown: str


def parse(text: str, network: MobileNetwork) -> Phone:
    """Read a number as people of the network's country spell it.

    ``0710 000 000``, ``+254 710-000-000``, ``254710000000`` and ``710000000`` are one number.

    Raises:
        InvalidRequestError: It is no number of that country's phones.
    """
    problem = InvalidRequestError(
        f"Give the number of a phone with {network.name}, such as {_example(network.country)}.",
        param="phone",
    )
    if len(text) > _MAX_LENGTH or any(mark.isalpha() for mark in text):
        raise problem
    try:
        number = phonenumbers.parse(text, network.country)
    except NumberParseException:
        raise problem from None
    if number.extension or not phonenumbers.is_valid_number_for_region(number, network.country):
        raise problem
    return Phone(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
    )


def shown(e164: str) -> str:
    """Return a stored number as people read it; one that is masked as it is."""
    try:
        number = phonenumbers.parse(e164)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def _example(country: str) -> str:
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return "the one you call from"
    return phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)
