"""Automatic top-ups: a saved card is charged when a wallet runs low.

Safe before it is convenient: off by default, one attempt in flight for each wallet, named
beforehand, so many a day and so much a month, a pause after each, and an end at the first sign
that the card or its holder is not willing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.sale_terms import DAY, MONTH, SaleTerms

MAX_A_DAY = 5
MAX_THRESHOLD = Credits.of(100_000)
COOL_DOWN = timedelta(minutes=10)
"""After each attempt, so that a fault of ours or a runaway program empties no account at once."""

_REST_AT_A_LIMIT = timedelta(hours=1)


class TopUpState(StrEnum):
    """Whether a wallet is topped up."""

    ON = "on"
    STOPPED = "stopped"
    """By us, since something went wrong; its person turns it on again."""
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """One attempt to top up a wallet.

    Attributes:
        reference: Of its purchase.
        number: Counts the attempts of the wallet.
        failed: Whether nothing was paid by it.
    """

    reference: str
    wallet_id: str
    number: int
    value: Money
    begun_at: datetime
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpOrder:
    """A person's standing order for one wallet.

    Attributes:
        person_id: Who pays.
        threshold: It is topped up when less than this can be spent.
        value: The USD value of each purchase.
        currency: What is paid in.
        per_day: The most attempts within 24 hours.
        monthly_cap: The most USD value within 30 days.
        reason: Why it was stopped, in words for its person.
        pending: The reference of the attempt in flight; empty where there is none.
        begun: How many attempts were begun, which names the next.
        rests_until: Before then nothing is begun.
    """

    wallet_id: str
    person_id: str
    card_id: str
    threshold: Credits
    value: Money
    currency: str
    per_day: int
    monthly_cap: Money
    changed_at: datetime
    state: TopUpState = TopUpState.ON
    reason: str = ""
    pending: str = ""
    begun: int = 0
    rests_until: datetime | None = None

    def check(self, terms: SaleTerms) -> None:
        """Compare the order with what is sold.

        Raises:
            InvalidRequestError: One of its numbers cannot be.
        """
        if not ZERO < self.threshold <= MAX_THRESHOLD:
            raise InvalidRequestError(
                "Choose a balance from $0.01 to $1,000 to top up at.", param="threshold"
            )
        if not terms.min_value <= self.value <= terms.max_value:
            raise InvalidRequestError(
                f"One top-up is worth {terms.min_value} to {terms.max_value}.", param="value"
            )
        if not 1 <= self.per_day <= MAX_A_DAY:
            raise InvalidRequestError(f"Choose 1 to {MAX_A_DAY} top-ups a day.", param="per_day")
        if not self.value <= self.monthly_cap <= terms.monthly_limit:
            raise InvalidRequestError(
                f"The most in a month is between one top-up and {terms.monthly_limit}.",
                param="monthly_cap",
            )

    def is_due(self, wallet: Wallet, now: datetime) -> bool:
        """Whether an attempt may begin now. A wallet that owes after a refund is left alone."""
        return (
            self.state is TopUpState.ON
            and not self.pending
            and (self.rests_until is None or self.rests_until <= now)
            and wallet.owed == ZERO
            and wallet.available < self.threshold
        )

    def limit_reached(self, earlier: Sequence[TopUp], now: datetime) -> str:
        """Return which limit another attempt would break, in words; empty where none.

        Args:
            earlier: The attempts of the last 30 days at least.
            now: The present instant.
        """
        today = [row for row in earlier if row.begun_at > now - DAY]
        if len(today) >= self.per_day:
            return f"{self.per_day} a day"
        counted = [row for row in earlier if row.begun_at > now - MONTH and not row.failed]
        spent = sum(row.value.minor_units for row in counted)
        if spent + self.value.minor_units > self.monthly_cap.minor_units:
            return f"{self.monthly_cap} in 30 days"
        return ""

    def begin(self, *, at: datetime) -> tuple[Self, TopUp]:
        """Return the order with its next attempt in flight, and the attempt."""
        number = self.begun + 1
        digest = hashlib.sha256(f"top-up\0{self.wallet_id}\0{number}".encode()).hexdigest()
        top_up = TopUp(
            reference=f"cc-{digest[:32]}",
            wallet_id=self.wallet_id,
            number=number,
            value=self.value,
            begun_at=at,
        )
        return replace(self, pending=top_up.reference, begun=number), top_up

    def rest(self, *, at: datetime) -> Self:
        """Return the order as waiting, since a limit is reached."""
        return replace(self, rests_until=at + _REST_AT_A_LIMIT)

    def end(self, reference: str, *, at: datetime) -> Self:
        """Return the order with its attempt ended."""
        if self.pending != reference:
            return self
        return replace(self, pending="", rests_until=at + COOL_DOWN)

    def stop(self, reason: str, *, at: datetime) -> Self:
        """Return the order as stopped until its person turns it on again."""
        if self.state is not TopUpState.ON:
            return self
        return replace(self, state=TopUpState.STOPPED, reason=reason, changed_at=at)

    def turn_off(self, *, at: datetime) -> Self:
        """Return the order as ended by its person."""
        return replace(self, state=TopUpState.OFF, reason="", changed_at=at)


def consent_text(order: TopUpOrder, *, site: str, card: str, threshold: str) -> str:
    """Return what a customer agrees to who turns on automatic top-ups."""
    paid = "" if order.currency == "USD" else f", paid in {order.currency} at the rate of the day,"
    often = "once" if order.per_day == 1 else f"{order.per_day} times"
    return (
        f"I let {site} charge my {card} by itself, through Paystack, to buy credit worth "
        f"{order.value}{paid} each time that less than {threshold} can be spent: at most {often} "
        f"a day, and {order.monthly_cap} in 30 days. It stops after a charge that fails, after a "
        "payment that I dispute at my bank, and when I turn it off or remove the card under "
        "Billing, at any time. While a debt is open after a refund, nothing is charged. Each "
        "charge comes with a mail and a receipt, and is refunded on the terms of any other. "
        "Changes are told by mail before they apply."
    )
