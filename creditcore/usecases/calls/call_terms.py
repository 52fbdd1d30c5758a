"""What a call was admitted on."""

from __future__ import annotations

from typing import NamedTuple

from creditcore.domain.decisions import Admission
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Ceiling, Cost, ModelPrice, Tariff, Usage


class Terms(NamedTuple):
    """What a call was admitted on.

    Attributes:
        price: The model's price when the call began.
        tariff: Turns provider cost into credits.
        ceiling: The most the call may cost, by its output.
        admission: The hold, and what it pays for.
    """

    price: ModelPrice
    tariff: Tariff
    ceiling: Ceiling
    admission: Admission

    @property
    def grows(self) -> bool:
        """Whether the hold pays for a beginning only, and grows with the answer."""
        return self.ceiling.opening is not None

    @property
    def most(self) -> Credits:
        """How far the hold may grow: what upstream was told to stay within."""
        return self.ceiling.amount(self.admission.output_bound)

    def cost(self, usage: Usage) -> Cost:
        """Return what an answer costs."""
        return self.price.cost(usage, self.tariff)
