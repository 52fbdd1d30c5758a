"""The balance, what limits a key, models and quotes, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import orjson
from flask import Blueprint, request

from adapters.flask_web.api.caller import Caller
from adapters.flask_web.api.operations import ANY_READER, operation
from adapters.flask_web.api.shapes import (
    CreditsShape,
    LimitsShape,
    ModelList,
    ModelShape,
    ParallelStanding,
    QuoteRequest,
    QuoteShape,
    Rates,
    SpendStanding,
    Standings,
)
from adapters.flask_web.context import services, settings
from adapters.flask_web.web.errors import refusal_of
from adapters.flask_web.web.model_offers import ModelOffer
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.keys import Scope
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import NO_LIMITS, KeyCounter, KeyLimits, Whose
from creditcore.domain.rates import Standing
from creditcore.usecases.keys.read_keys import KeyView

blueprint = Blueprint("account_api", __name__)

_US_PER_S = 1_000_000


@operation(blueprint, "GET", "/api/v1/credits", scopes=ANY_READER, answer=CreditsShape)
def credits_(caller: Caller) -> CreditsShape:
    """Show the balance, in credits as exact decimal text."""
    wallet = _wallet(caller)
    return CreditsShape(
        posted=str(wallet.posted), held=str(wallet.held), available=str(wallet.available)
    )


@operation(blueprint, "GET", "/api/v1/limits", scopes=ANY_READER, answer=LimitsShape)
def limits(caller: Caller) -> LimitsShape:
    """Show everything that limits this key now, or in a session what limits the account."""
    limited, key = caller.limited, caller.key
    own = limited.limits
    view = caller.standing
    rates = {(each.whose, each.unit): each for each in services().calls.gate.standings(limited)}
    return LimitsShape(
        **_counted(own, view.counter if isinstance(view, KeyView) else None, rates, Whose.KEY),
        account=Standings(
            **_counted(limited.account_limits, view.account_counter, rates, Whose.ACCOUNT)
        ),
        member=_of_member(view.member_counter),
        wallet_available=str(view.available),
        credit_balance=str(view.credit_balance),
        allowed_models=list(own.models),
        allowed_ips=list(own.addresses),
        scopes=list(key.scopes if key else Scope),
        expires_at=key.expires_at if key else None,
    )


@operation(blueprint, "GET", "/api/v1/models", scopes=ANY_READER, answer=ModelList)
def models(caller: Caller) -> ModelList:
    """List the models that the caller may call, with what a million tokens cost."""
    allowed = caller.key.limits if caller.key else NO_LIMITS
    return ModelList(
        data=[
            ModelShape(
                id=price.model,
                mode=price.mode,
                max_input_tokens=price.max_input_tokens,
                max_output_tokens=price.max_output_tokens,
                input=str(offer.input_per_million),
                cached_input=str(offer.cached_per_million),
                output=str(offer.output_per_million),
                has_tiers=offer.has_tiers,
                unit=offer.unit,
                per_unit=offer.per_unit_text,
            )
            for price in services().calls.prices.all()
            if allowed.permits_model(price.model)
            for offer in [ModelOffer.of(price, settings().tariff)]
        ]
    )


@operation(
    blueprint,
    "POST",
    "/api/v1/quote",
    scopes=ANY_READER,
    body=QuoteRequest,
    answer=QuoteShape,
)
def quote(caller: Caller, body: QuoteRequest) -> QuoteShape:
    """Say what a call would cost and whether it would run now, without making it."""
    wire = services().wires.get(body.endpoint)
    if wire is None:
        known = ", ".join(sorted(services().wires))
        raise InvalidRequestError(f"endpoint is one of {known}.", param="endpoint")
    found = services().calls.quotes.quote(
        wire.hearing(lambda _: None),
        orjson.dumps(body.body),
        caller=caller.limited,
        address=request.remote_addr,
    )
    refusal = found.refusal and refusal_of(
        found.refusal, base_url=settings().base_url, limit_field=wire.limit_field
    )
    hold = found.admission.hold.amount if found.admission else found.ceiling
    return QuoteShape(
        model=found.planned.call.model,
        floor=str(found.floor),
        ceiling=str(found.ceiling),
        hold=str(hold),
        prompt_tokens_estimate=found.planned.request.prompt_estimate,
        output_tokens_bound=found.planned.call.output_bound,
        would_run=found.admission is not None,
        refusal=refusal.message if refusal else None,
        refusal_code=refusal.code if refusal else None,
        affordable_output_tokens=found.affordable_output_tokens,
    )


def _of_member(counter: KeyCounter | None) -> SpendStanding | None:
    calendar = counter.calendar if counter else None
    if counter is None or calendar is None or counter.limit is None:
        return None
    return SpendStanding(
        credits=str(counter.limit + counter.raised),
        period=calendar.period,
        zone=calendar.zone,
        spent=str(counter.spent),
        held=str(counter.held),
        remaining=str(counter.room),
        resets_at=calendar.ends_at(services().clock.now()),
    )


def _wallet(caller: Caller) -> Wallet:
    with services().transactions.begin() as tx:
        return tx.ledger.find_wallet(caller.wallet_id)


def _rates(standing: Standing | None) -> Rates | None:
    if standing is None:
        return None
    return Rates(
        limit=standing.limit,
        remaining=standing.remaining,
        reset_s=round(standing.reset_us / _US_PER_S, 3),
    )


class _Counted(TypedDict):
    spend: SpendStanding | None
    parallel: ParallelStanding | None
    requests_per_minute: Rates | None
    tokens_per_minute: Rates | None


def _counted(
    limits: KeyLimits,
    counter: KeyCounter | None,
    rates: Mapping[tuple[Whose, str], Standing],
    whose: Whose,
) -> _Counted:
    most, running = limits.max_parallel, counter.open_calls if counter else 0
    return {
        "spend": _spend(limits, counter),
        "parallel": None if most is None else ParallelStanding(limit=most, running=running),
        "requests_per_minute": _rates(rates.get((whose, "requests"))),
        "tokens_per_minute": _rates(rates.get((whose, "tokens"))),
    }


def _spend(limits: KeyLimits, counter: KeyCounter | None) -> SpendStanding | None:
    if counter is None or (spend := limits.spend) is None:
        return None
    return SpendStanding(
        credits=str(spend.credits),
        period=spend.period,
        zone=spend.zone,
        spent=str(counter.spent),
        held=str(counter.held),
        remaining=str(counter.room),
        resets_at=spend.ends_at(services().clock.now()),
    )
