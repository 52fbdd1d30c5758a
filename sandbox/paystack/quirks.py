"""How one payment misbehaves, chosen by plus-tags in the customer's e-mail.

``ada+underpay+duplicate@example.com`` has two quirks. Unknown tags mean nothing.

===============  =====================================================================
underpay         verify and webhook report one subunit less than was asked
overpay          fees are passed on: the amount reported is what was asked plus fees
wrongcurrency    verify and webhook report another currency
duplicate        the webhook event is sent three times
nowebhook        no webhook event
latewebhook      the webhook event leaves some time after the redirect
firstwebhook     the redirect waits until the webhook event was answered
metadata0        metadata comes back as the number 0
metadatastring   metadata comes back as a JSON string
metadatanull     metadata comes back as null
metadataempty    metadata comes back as an empty string
slow             initialize and verify take some seconds
carddeclines     charges of a saved card are declined, with HTTP 200
cardchallenges   charges of a saved card want to see its holder first
cardonce         cards that pay cannot be charged again
===============  =====================================================================
"""

from __future__ import annotations

from enum import StrEnum


class Quirk(StrEnum):
    """One way to misbehave."""

    UNDERPAY = "underpay"
    OVERPAY = "overpay"
    WRONG_CURRENCY = "wrongcurrency"
    DUPLICATE = "duplicate"
    NO_WEBHOOK = "nowebhook"
    LATE_WEBHOOK = "latewebhook"
    FIRST_WEBHOOK = "firstwebhook"
    METADATA_ZERO = "metadata0"
    METADATA_STRING = "metadatastring"
    METADATA_NULL = "metadatanull"
    METADATA_EMPTY = "metadataempty"
    SLOW = "slow"
    CARD_DECLINES = "carddeclines"
    CARD_CHALLENGES = "cardchallenges"
    CARD_ONCE = "cardonce"


def quirks_of(email: str) -> frozenset[Quirk]:
    """Return the quirks that an e-mail address asks for."""
    tags = email.partition("@")[0].lower().split("+")[1:]
    return frozenset(Quirk(tag) for tag in tags if tag in set(Quirk))
