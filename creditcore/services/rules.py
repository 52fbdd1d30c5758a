"""What the operator of a gateway decides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from creditcore.domain.documents import Seller
from creditcore.domain.limits import KeyLimits
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Tariff
from creditcore.domain.sale_terms import SaleTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator decides, apart from which adapters stand where.

    Attributes:
        pepper: The server's secret, under which keys and tokens are hashed.
        base_url: Where people reach the site, for links in mails.
        tariff: Turns provider cost into credits.
        longest_stream: The longest that a call may stream.
        hold_lifetime: After this, no process can be working on a call any more.
        max_streams: How many streams a process carries at a time.
        mirrors_keys: Whether the model server is to have a copy of each key.
        keeps_answers: Whether plain answers are kept for repeated calls.
        site: What the gateway is called, as people read it.
        payment_return_url: Where a payer's browser comes back to from the payment provider.
        sale_terms: What is sold, for how much at most.
        seller: Named on receipts and credit notes.
        details_kept: How long the details of payments and webhooks are kept.
        new_key_limits: What new keys may use where their owner says nothing else.
        account_limits: What all keys of a new account may use together.
        profile_currencies: Currencies that people may choose to see beside US dollars.
        alert_addresses: Who is mailed about alerts.
        alert_quiet: How long nothing more is said after a message about alerts.
        signup_credits: Given once to each new person.
        signup_credits_per_day: Given to all new people of a day together, at most.
    """

    pepper: bytes = field(repr=False)
    base_url: str
    tariff: Tariff
    longest_stream: timedelta
    hold_lifetime: timedelta
    max_streams: int
    mirrors_keys: bool
    keeps_answers: bool

    site: str
    payment_return_url: str
    sale_terms: SaleTerms
    seller: Seller
    details_kept: timedelta

    new_key_limits: KeyLimits
    account_limits: KeyLimits
    profile_currencies: Collection[str]
    alert_addresses: Collection[str]
    alert_quiet: timedelta
    signup_credits: Credits
    signup_credits_per_day: Credits
