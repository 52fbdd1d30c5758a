"""What the model server says that a call cost it, beside what our own price row says.

Our row is the truth. The other figure comes out of sums in floating point, by a program of
others, so it is read with care and believed in nothing.
"""

from __future__ import annotations

import re
from datetime import datetime

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.holds import Basis, Call, Hold
from creditcore.domain.money import MAX_INT64, div_floor
from creditcore.domain.pricing import usd_text

# As Python writes a float, with room for other servers.
_USD = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,40}))?(?:[eE]([+-]?[0-9]{1,3}))?")
_PICODOLLAR_DECIMALS = 12
_UNITS_PER_PICODOLLAR = 10**18

# Sums of products of doubles are off by less than one part in 10^15: that much, and no more, is
# how LiteLLM's costs differ from exact ones. No two prices differ by as little as one in 10^6.
_TOLERATED_PART = 10**6
# We round up to whole picodollars, and to the nearest what was reported.
_TOLERATED_PICODOLLARS = 1


def picodollars(text: str) -> int | None:
    """Read a cost in USD such as ``"1.05e-05"``, to the nearest 10^-12 USD.

    None for anything that is no such number, is negative, or is more than any call can cost.
    """
    found = _USD.fullmatch(text)
    if found is None:
        return None
    whole, fraction, exponent = found.groups("")
    digits, shift = int(whole + fraction), _PICODOLLAR_DECIMALS + int(exponent or 0) - len(fraction)
    # Integers are rounded to even as well, to a place before the point.
    scaled = digits * 10**shift if shift >= 0 else div_floor(round(digits, shift), 10**-shift)
    return scaled if scaled <= MAX_INT64 else None


def reported_usd(picodollars: int) -> str:
    """Return a cost as exact decimal text in USD."""
    return usd_text(price_units_of(picodollars))


def price_units_of(picodollars: int) -> int:
    """Return a cost in units of 10^-30 USD, as prices are kept."""
    return picodollars * _UNITS_PER_PICODOLLAR


def differs(hold: Hold) -> bool:
    """Whether a call was reported to cost something else than it was priced at.

    A report of nothing says nothing: LiteLLM writes it for an answer out of its cache, and
    where it knows no price. A charge by our own rough count has nothing to compare.
    """
    outcome = hold.outcome
    reported, ours = outcome.reported_cost_picodollars, outcome.provider_cost_picodollars
    if not reported or outcome.basis is not Basis.PROVIDER_USAGE:
        return False
    return abs(reported - ours) > _TOLERATED_PICODOLLARS + ours // _TOLERATED_PART


def difference_alert(hold: Hold, call: Call, *, at: datetime) -> Alert:
    """Return the alert for a call whose cost differs: one a day for each price of a model."""
    reported = reported_usd(hold.outcome.reported_cost_picodollars or 0)
    return Alert(
        key=f"reported_cost:{call.model}:{call.price_snapshot}:{at:%Y-%m-%d}",
        # Every call of the model is sold at a wrong price until an operator mends it.
        severity=Severity.CRITICAL,
        subject="The model server reports another cost than our price",
        message=(
            f"{call.model} answered call {hold.reference} for {reported} USD, as the model server "
            f"reports; our price makes it {reported_usd(hold.outcome.provider_cost_picodollars)} "
            "USD, and the call was charged by that. Compare the model's prices there and here; "
            "deployments of different prices under one name, a cache price that is missing, and a "
            "discount or margin that is configured there differ as well."
        ),
        at=at,
    )
