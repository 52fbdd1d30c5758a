"""Explain what one call cost: tokens by bucket, the prices of that moment, the charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.holds import Hold
from creditcore.domain.pricing import PricedTokens
from creditcore.domain.reported_cost import reported_usd
from creditcore.ports.store_ports import HasCalls, HasPrices
from creditcore.ports.transactions import Begins


class WriteReceiptTransaction(HasCalls, HasPrices, Protocol):
    """What the receipt of a call reads."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A call, and the lines that its provider's cost is the sum of.

    Attributes:
        call: The hold that was made for it, with what came of it.
        lines: Buckets that the call used; empty where its usage or prices are unknown.
    """

    call: Hold
    lines: tuple[PricedTokens, ...]

    @property
    def provider_cost_units(self) -> int:
        """What the lines add up to, in units of 10^-30 USD."""
        return sum(line.cost_units for line in self.lines)

    @property
    def reported_cost_usd(self) -> str | None:
        """What the model server says that it cost, in USD; None where it says nothing."""
        reported = self.call.outcome.reported_cost_picodollars
        return None if reported is None else reported_usd(reported)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReceipt:
    """Compute a call's cost again from what is stored of it."""

    transactions: Begins[WriteReceiptTransaction]

    def write(self, reference: str, *, wallet_id: str) -> Receipt:
        """Return the receipt of one of a wallet's calls.

        Raises:
            HoldNotFoundError: The wallet has no such call.
        """
        with self.transactions.begin() as tx:
            call = tx.calls.find(reference, wallet_id=wallet_id)
            known = call.call.price_snapshot if call.call else None
            price = tx.prices.find_snapshot(known) if known else None
        usage = call.outcome.usage
        if usage is None or price is None:
            return Receipt(call, ())
        return Receipt(call, tuple(line for line in price.itemize(usage) if line.tokens))
