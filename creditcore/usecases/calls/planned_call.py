"""A call that is understood and priced, before anything is held for it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from creditcore.domain.decisions import Admission
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.holds import Call, make_call
from creditcore.domain.pricing import Ceiling, ModelPrice, Tariff
from creditcore.domain.pricing.text_bound import counted_part, text_bound
from creditcore.domain.units import Unit
from creditcore.ports.inference import HeardWire, InferenceRequest
from creditcore.ports.prompt_counts import PromptText
from creditcore.usecases.calls.price_list import PriceList

DEFAULT_OUTPUT_BOUND = 16_384
"""The longest answer of a model that does not say how long its answers get."""

OPENING_TOKENS = 1_024
"""Output that a stream pays for at first, without a limit or with one that the wallet cannot
hold; its hold grows as it goes on.

Holding the longest answer there can be would let a few calls lock up a whole wallet.
"""


MAX_BYTES_PER_TOKEN = 32
"""Text that is longer than this for each token a model can read is refused before it is sent. The
usual is four; runs of spaces or dashes come to tens."""


class PlannedCall(NamedTuple):
    """What a request asks for, and the most that it may cost.

    Attributes:
        request: The body, understood.
        price: The model's price now.
        tariff: Turns its provider cost into credits, its own markup included.
        ceiling: The most it may cost, by its output.
        call: What its hold will say that it is for.
    """

    request: InferenceRequest
    price: ModelPrice
    tariff: Tariff
    ceiling: Ceiling
    call: Call


def plan(
    wire: HeardWire,
    body: bytes,
    *,
    prices: PriceList,
    tariff: Tariff,
    can_grow: bool = True,
    least_output: int = 1,
) -> PlannedCall:
    """Understand and price a request; nothing is held and nothing is sent.

    Args:
        wire: The protocol, as the headers of the request select it.
        body: The request.
        prices: What each model costs.
        tariff: Turns provider cost into credits.
        can_grow: Whether the hold of a stream can grow while it is metered.
        least_output: Tokens of an answer that are worth a beginning, where the client set no limit.

    Raises:
        InvalidRequestError: It cannot be served, or its cost has no bound.
        ModelNotFoundError: The model has no price.
    """
    request = wire.parse(body)
    price = prices.find(request.model)
    if price.mode not in wire.modes:
        raise InvalidRequestError(
            f"{price.model} is for {price.mode}, which is not what {wire.endpoint} does.",
            param="model",
            code="unsupported_model",
        )
    if price.unit is not None:
        request = replace(request, sold_by=price.unit.unit)
    _check_length(request, price)
    tariff = price.tariff(tariff)
    prompt_bound = _prompt_bound(request, price)
    ceiling = _ceiling(request, price, prompt_bound, tariff, can_grow=can_grow, least=least_output)
    call = make_call(
        model=request.model,
        endpoint=wire.endpoint,
        stream=request.stream,
        prompt_bound=prompt_bound,
        output_bound=ceiling.output_bound * request.choices,
        price_snapshot=price.snapshot,
        multiplier=tariff.multiplier,
    )
    return PlannedCall(request, price, tariff, ceiling, call)


def with_text_bound(planned: PlannedCall, text: PromptText, bound: int) -> PlannedCall:
    """Return a call that holds less for a text of its prompt, and the same for all the rest.

    Args:
        planned: The call, whose prompt has a bound of its own.
        text: What is held for anew.
        bound: Tokens that it is taken for; never more than it was.
    """
    request, price = planned.request, planned.price
    usual = counted_part(text.bound, text.size, price.features)
    rest = _written_bound(request, price) - usual
    prompt_bound = min(planned.call.prompt_bound, rest + min(bound, usual))
    ceiling = _ceiling(
        request,
        price,
        prompt_bound,
        planned.tariff,
        can_grow=planned.ceiling.opening is not None,
        least=planned.ceiling.least,
    )
    call = planned.call._replace(prompt_bound=prompt_bound)
    return planned._replace(ceiling=ceiling, call=call)


def content_with_less(planned: PlannedCall) -> PlannedCall:
    """Return a call that begins however short its answer will be."""
    if planned.ceiling.fixed_output:
        return planned
    return planned._replace(ceiling=replace(planned.ceiling, least=1))


def bound_to_send(admission: Admission, request: InferenceRequest, price: ModelPrice) -> int | None:
    """Return the output limit that upstream must keep, or None where its own will do."""
    if request.output_limit is None and admission.output_bound == price.max_output_tokens:
        return None
    return admission.output_bound


def _ceiling(
    request: InferenceRequest,
    price: ModelPrice,
    prompt_bound: int,
    tariff: Tariff,
    *,
    can_grow: bool,
    least: int,
) -> Ceiling:
    longest = price.max_output_tokens
    asked = request.output_limit
    if asked is not None:
        output_bound = asked if longest is None else min(asked, longest)
    else:
        output_bound = longest or DEFAULT_OUTPUT_BOUND
    return price.ceiling(
        prompt_bound=prompt_bound,
        output_bound=output_bound,
        choices=request.choices,
        tariff=tariff,
        fixed_output=asked is not None,
        long_cache=request.long_cache,
        opening=OPENING_TOKENS if request.stream and can_grow else None,
        least=least,
        unit_bound=_unit_bound(request, price),
    )


def _unit_bound(request: InferenceRequest, price: ModelPrice) -> int:
    """Units that the call can never exceed; tokens of a sound are a part of the context."""
    extent = request.extent
    if extent is None:
        return 0
    if request.sold_by is Unit.AUDIO_TOKEN and price.max_input_tokens is not None:
        return min(extent.most, price.max_input_tokens)
    return extent.most


def _check_length(request: InferenceRequest, price: ModelPrice) -> None:
    """Refuse text that the model cannot read: it would fill memory, here and there, in vain."""
    if request.prompt_bound is None or price.max_input_tokens is None:
        return
    readable = price.max_input_tokens * request.prompts
    if request.prompt_bound - request.media_bound.most > readable * MAX_BYTES_PER_TOKEN:
        raise InvalidRequestError(
            f"{price.model} reads {readable:,} tokens at most, and this is"
            f" {request.prompt_bound:,} bytes of text. Shorten it.",
            param="messages",
            code="context_length_exceeded",
        )


def _prompt_bound(request: InferenceRequest, price: ModelPrice) -> int:
    """Tokens the prompts can never exceed: of what is written, or the model's context if less."""
    if request.prompt_bound is None:
        if price.max_input_tokens is None:
            raise InvalidRequestError(
                f"{price.model} takes text only: the cost of anything else has no known bound.",
                param="messages",
                code="unsupported_content",
            )
        return price.max_input_tokens * request.prompts
    bound = _written_bound(request, price)
    if price.max_input_tokens is None or price.tiers:
        # Tiers mean that longer prompts than the stated context do get through.
        return bound
    return min(bound, price.max_input_tokens * request.prompts)


def _written_bound(request: InferenceRequest, price: ModelPrice) -> int:
    """Tokens of what is in the request, however many the model can read."""
    media = request.media_bound
    by_bytes = (request.prompt_bound or 0) - media.most
    return text_bound(by_bytes, request.text_size, price.features) + media.tokens(price.features)
