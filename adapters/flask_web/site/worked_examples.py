"""What the landing page shows instead of claiming it: worked examples, at the prices of today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from adapters.flask_web.context import services, settings
from adapters.flask_web.site.models import Listed
from adapters.flask_web.web.errors import refusal_of
from adapters.flask_web.web.figures import many, paid_usd
from adapters.flask_web.web.formatting import provider_dollars
from adapters.flask_web.web.model_offers import example_model
from creditcore.domain.errors import InsufficientCreditsError
from creditcore.domain.money import Credits
from creditcore.domain.pricing import ModelPrice, Usage

GREETING = Usage(prompt_tokens=14, completion_tokens=6)
"""The call of the terminal, and of the receipt beside it."""

_BALANCE = Credits.of(200)
_LONG = Usage(prompt_tokens=1_000, completion_tokens=4_096)
_STOPPED = Usage(prompt_tokens=1_000, completion_tokens=120)
_AFFORDABLE = Usage(prompt_tokens=1_000, completion_tokens=513)
_SHOWN = 6
_MILLION = 1_000_000
_FALLBACK_CHARGE = Credits(1_140)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibits:
    """One call in four lights. Amounts are of balance.

    Attributes:
        input, output: What the provider takes for a million tokens, as text.
        multiplier: Credits for each cent of provider cost.
        charged, before, after: What the greeting cost, and the balance around it.
        held, stopped, freed: Of an answer that is left early.
        refusal: What a call is told that does not fit the balance.
    """

    model: str
    input: str
    output: str
    multiplier: str
    charged: Credits
    before: Credits
    after: Credits
    held: Credits
    stopped: Credits
    freed: Credits
    refusal: str

    @classmethod
    def of(cls, price: ModelPrice) -> Self:
        """Work the examples at the price of a model that is sold by tokens."""
        tariff = price.tariff(settings().tariff)

        def charge(usage: Usage) -> Credits:
            return tariff.charge(price.cost_units(usage))

        rates = price.rates_for(GREETING.prompt_tokens)
        charged, held, stopped = charge(GREETING), charge(_LONG), charge(_STOPPED)
        refused = InsufficientCreditsError(
            needed=held,
            available=charge(_AFFORDABLE),
            affordable_output_tokens=_AFFORDABLE.completion_tokens,
        )
        return cls(
            model=price.model,
            input=provider_dollars(rates.input * _MILLION),
            output=provider_dollars(rates.output * _MILLION),
            multiplier=tariff.multiplier,
            charged=charged,
            before=_BALANCE,
            after=_BALANCE - charged,
            held=held,
            stopped=stopped,
            freed=held - stopped,
            refusal=refusal_of(refused, base_url=settings().base_url).message,
        )


def exhibits() -> Exhibits | None:
    """Return the examples of the model that examples name; None while no price is known."""
    wanted = example_model()
    for price in services().calls.prices.all():
        if price.model == wanted and price.unit is None and price.rates.output:
            return Exhibits.of(price)
    return None


def greeting_charge(shown: Exhibits | None) -> Credits:
    """Return what the call of the terminal costs."""
    return shown.charged if shown else _FALLBACK_CHARGE


@dataclass(frozen=True, slots=True)
class PricedModel:
    """A model of the short list, and how many typical calls a dollar pays for."""

    listed: Listed
    calls_for_a_dollar: str


def short_list() -> Sequence[PricedModel]:
    """Return a few models from the cheapest to the dearest; none while no price is known."""
    found = sorted(
        (
            Listed.of(price)
            for price in services().calls.prices.all()
            if price.mode == "chat" and price.unit is None and price.rates.output
        ),
        key=lambda each: (each.typical, each.offer.model),
    )
    last = len(found) - 1
    places = (
        range(len(found))
        if len(found) <= _SHOWN
        else sorted({last * step // (_SHOWN - 1) for step in range(_SHOWN)})
    )
    return [PricedModel(found[place], _calls(found[place].typical)) for place in places]


def _calls(typical: Credits) -> str:
    return many(int(1 / paid_usd(typical)))
