"""What a site earned with the calls of a period, in 10^-12 US dollars, exactly.

Credits are bought with money and given away too, so a credit that is spent earns the share of
a cent that all credits ever put into wallets were paid with: gifts lower it. What is earned,
less what the providers take, is the margin. Cost beyond a hold, which is written off, and the
cost of calls that failed are part of the providers' cost: they lower the margin once.
"""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.money import ZERO, Credits, div_floor

PICODOLLARS_PER_CENT = 10**10


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditWorth:
    """What a spent credit earns.

    Attributes:
        taken_cents: All money ever taken, less refunds, in US cents.
        credited: All credits ever put into wallets for it or for nothing, less reversals.
    """

    taken_cents: int = 0
    credited: Credits = ZERO

    def picodollars(self, spent: Credits) -> int:
        """Return what spending these credits earned, rounded down; nothing where none was sold."""
        if self.credited <= ZERO or self.taken_cents <= 0:
            return 0
        taken = self.taken_cents * PICODOLLARS_PER_CENT
        return div_floor(spent.microcredits * taken, self.credited.microcredits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings:
    """What calls earned and cost.

    Attributes:
        revenue: What the spent credits earned, in 10^-12 USD.
        provider_cost: What the calls cost, charged or not, in 10^-12 USD.
    """

    revenue: int
    provider_cost: int

    @property
    def margin(self) -> int:
        """What is left, in 10^-12 USD; negative where calls cost more than they earned."""
        return self.revenue - self.provider_cost

    @property
    def margin_per_mille(self) -> int | None:
        """The margin in thousandths of the revenue, rounded down; None without revenue."""
        return div_floor(1000 * self.margin, self.revenue) if self.revenue else None
