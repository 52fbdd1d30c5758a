"""LiteLLM's price list, ``GET /model/info``: the only file that knows its field names.

Prices are JSON numbers in USD per token. They are read as ``Decimal``, from the text
that was sent: a float would already have lost what the text said.

How LiteLLM itself computes a cost (``litellm_core_utils/llm_cost_calc/utils.py``):
a threshold exists where ``input_cost_per_token_above_<N>k_tokens`` does, it moves every
rate of the call, and a rate the tier does not name keeps its base price. One thing is
different here on purpose. LiteLLM takes a cache price it does not know for zero; we take
it for the price of an ordinary prompt token, since unknown is not free.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.litellm.image_counts import image_features
from adapters.litellm.price_keys import TIERS, not_understood
from adapters.litellm.unit_prices import (
    BY_UNIT_ALONE,
    MODES,
    TRANSCRIPTION,
    dearest_unit,
    unit_price,
)
from creditcore.domain.pricing import (
    IMAGE_COUNTS,
    MAX_TOKENS,
    ModelPrice,
    Rates,
    Tier,
    price_units,
)
from creditcore.domain.units import Unit, UnitPrice
from creditcore.ports.model_gateway import Catalogue

_TEXT_MODES = frozenset({"chat", "completion", "responses"})
_SOLD_MODES = _TEXT_MODES | MODES | {"embedding"}

_INPUT = "input_cost_per_token"
_OUTPUT = "output_cost_per_token"
_CACHE_READ = "cache_read_input_token_cost"
_CACHE_WRITE = "cache_creation_input_token_cost"
_REASONING = "output_cost_per_reasoning_token"
_IMAGE_MADE = "output_cost_per_image_token"

_FEATURES = (
    *("function_calling", "pdf_input", "prompt_caching", "reasoning", "response_schema"),
    "vision",
)

_THRESHOLD = re.compile(rf"{_INPUT}(_above_([0-9]{{1,9}})(k?)_tokens)")
_FINEST_EXPONENT = -30
_MAX_PRICE_LENGTH = 64
_MAX_NAME_LENGTH = 200


def read_catalogue(body: bytes) -> Catalogue:
    """Return every model with a usable price, by name, and the names of those without.

    A row that cannot be used is left out and never spoils the others. Several
    deployments of one name become one price, the dearest: LiteLLM chooses among
    them as it likes, and the hold must cover whichever it is.

    Raises:
        ValueError: Not a price list at all.
    """
    try:
        document = json.loads(body, parse_float=_number, parse_int=_number, parse_constant=_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ValueError("no list of models")  # noqa: TRY004 - a bad value, whatever its type
    by_name: dict[str, ModelPrice] = {}
    faults: dict[str, str] = {}
    mixed: dict[str, str] = {}
    for row in rows:
        name = _name_of_model(row)
        if name is None:
            continue
        try:
            price = _price_in(row, name)
        except ValueError as fault:
            faults.setdefault(name, str(fault))
            continue
        known = by_name.get(name)
        try:
            by_name[name] = dearest(known, price) if known else price
        except ValueError as fault:
            mixed[name] = str(fault)
    sold = sorted(by_name.keys() - mixed.keys())
    unsold = {name: fault for name, fault in (faults | mixed).items() if name not in sold}
    return Catalogue([by_name[name] for name in sold], sorted(unsold), unsold)


def _price_in(row: Mapping[str, Any], name: str) -> ModelPrice:
    """Return the price in one row.

    A price of zero is one only where the operator wrote it into ``litellm_params``: LiteLLM
    fills the prices that it does not know with 0 (tried with 1.91.5 and 1.102.4). Missing,
    null, negative, textual or infinite prices are none, and so is a mode that is not sold here.

    Raises:
        ValueError: It has none that we could keep to; the message says why.
    """
    info, given = row["model_info"], row.get("litellm_params")
    mode = _mode(info)
    unit = unit_price(mode, lambda name: _known(info, given, name))
    if unit is None and (unknown := not_understood(info)) is not None:
        raise ValueError(f"its price {unknown} is not understood here")
    if info.get(TIERS):
        base, tiers = _ranges(info[TIERS], given, mode=mode)
    else:
        base = _rates_of(info, given, unit, mode=mode)
        tiers = _tiers(info, given, base)
    return ModelPrice(
        model=name,
        rates=base,
        tiers=tiers,
        max_input_tokens=_limit(info, "max_input_tokens"),
        max_output_tokens=_longest_answer(info, mode),
        mode=mode,
        features=_features(info, given, mode),
        unit=unit,
        retires_on=_day(info.get("deprecation_date")),
    )


def _features(info: Mapping[str, Any], given: object, mode: str) -> frozenset[str]:
    # The map says ``supports_response_schema`` of embeddings too.
    names = _FEATURES if mode in _TEXT_MODES else ()
    features = frozenset(name for name in names if info.get(f"supports_{name}") is True)
    return features | image_features(info, given)


def dearest(left: ModelPrice, right: ModelPrice) -> ModelPrice:
    """Return one price that covers two deployments of the same model.

    Of every rate the dearer counts, below and above every threshold of either. Of the
    limits the longer counts, and one that is unknown on either side stays unknown. A feature
    is one of both; images may be counted as either counts them, where that is known of both.

    Raises:
        ValueError: They are not sold by the same thing.
    """
    thresholds = sorted({tier.above_prompt_tokens for tier in (*left.tiers, *right.tiers)})
    return ModelPrice(
        model=left.model,
        rates=_dearest_rates(left.rates, right.rates),
        tiers=tuple(
            Tier(above, _dearest_rates(left.rates_for(above + 1), right.rates_for(above + 1)))
            for above in thresholds
        ),
        max_input_tokens=_longer(left.max_input_tokens, right.max_input_tokens),
        max_output_tokens=_longer(left.max_output_tokens, right.max_output_tokens),
        mode=left.mode,
        features=_features_of_both(left.features, right.features),
        unit=dearest_unit(left.unit, right.unit),
    )


def _features_of_both(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    both = (left & right) - IMAGE_COUNTS
    ways = left & IMAGE_COUNTS, right & IMAGE_COUNTS
    return both.union(*ways) if all(ways) else both


def _number(text: str) -> Decimal:
    """Read a JSON number exactly. One that no Decimal can hold is no number."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _is_routable(name: str) -> bool:
    """Whether a client can ask for this name: ``openai/*`` stands for many, not for one."""
    return 0 < len(name) <= _MAX_NAME_LENGTH and name.isprintable() and "*" not in name


def _name_of_model(row: object) -> str | None:
    """Return the name of a model that could be sold; None for everything else."""
    if not isinstance(row, dict):
        return None
    name, info = row.get("model_name"), row.get("model_info")
    if not isinstance(name, str) or not _is_routable(name) or not isinstance(info, dict):
        return None
    return name if _mode(info) in _SOLD_MODES else None


def _mode(info: Mapping[str, Any]) -> str:
    mode = info.get("mode")
    return "chat" if mode is None else str(mode)


def _rates_of(
    info: Mapping[str, Any], given: object, unit: UnitPrice | None, *, mode: str
) -> Rates:
    if unit is None:
        return _base_rates(info, given, mode=mode)
    return _rates_beside(info, given, unit)


def _base_rates(info: Mapping[str, Any], given: object, *, mode: str) -> Rates:
    if mode in BY_UNIT_ALONE:
        raise ValueError("it has no price of what it is sold by")
    input_, output = _price(info, _INPUT), _price(info, _OUTPUT)
    if input_ is None or output is None:
        raise ValueError("it has no price for a token read, or none for a token written")
    if not input_ and not _is_given(given, _INPUT):
        raise ValueError("its input costs 0, which you have not written yourself")
    # An embedding has no output: its price is 0 in LiteLLM's own map.
    if mode in _TEXT_MODES and not output and not _is_given(given, _OUTPUT):
        raise ValueError("its output costs 0, which you have not written yourself")
    # A model that draws does so without being asked, and only text is charged here.
    if mode in _TEXT_MODES and (_price(info, _IMAGE_MADE) or 0) > output:
        raise ValueError(f"it makes images, whose price {_IMAGE_MADE} is above that of its text")
    cache_write = _first(_price(info, _CACHE_WRITE), input_)
    return Rates(
        input=input_,
        output=output,
        cache_read=_first(_price(info, _CACHE_READ), input_),
        cache_write=cache_write,
        cache_write_1h=_first(_kept_long(info), cache_write),
        reasoning=_first(_known(info, given, _REASONING), output),
    )


def _rates_beside(info: Mapping[str, Any], given: object, unit: UnitPrice) -> Rates:
    """Return the rates of a model that is sold by something else first.

    Tokens of text are a part of its price only where that has one.
    """
    input_ = _price(info, _INPUT) or 0
    output = _price(info, _OUTPUT) or 0
    if unit.unit is Unit.AUDIO_TOKEN and _known(info, given, _OUTPUT) is None:
        raise ValueError("it has no price of the transcript")
    return Rates(
        input=input_,
        output=output,
        cache_read=_first(_price(info, _CACHE_READ), input_),
        cache_write=input_,
        cache_write_1h=input_,
        reasoning=output,
    )


def _tiers(info: Mapping[str, Any], given: object, base: Rates) -> tuple[Tier, ...]:
    tiers: dict[int, Rates] = {}
    for name, value in info.items():
        match = _THRESHOLD.fullmatch(name)
        if match is None or value is None:
            continue
        suffix, count, thousands = match.groups()
        above = int(count) * (1000 if thousands else 1)
        # xAI's tier begins at the threshold itself, that of others behind it.
        if info.get("litellm_provider") == "xai":
            above -= 1
        tiers[above] = _tier_rates(info, given, base, suffix)
    return tuple(Tier(above, tiers[above]) for above in sorted(tiers))


def _tier_rates(info: Mapping[str, Any], given: object, base: Rates, suffix: str) -> Rates:
    """Return the rates above a threshold; what the tier does not name costs what it did below.

    So does what it names with a zero that the operator has not written.
    """
    input_ = _first(_known(info, given, _INPUT + suffix), base.input)
    output = _first(_known(info, given, _OUTPUT + suffix), base.output)
    # A bucket without any price of its own follows the bucket it belongs to into the tier.
    cache_write = _first(_price(info, _CACHE_WRITE + suffix), _price(info, _CACHE_WRITE), input_)
    return Rates(
        input=input_,
        output=output,
        cache_read=_first(_price(info, _CACHE_READ + suffix), _price(info, _CACHE_READ), input_),
        cache_write=cache_write,
        cache_write_1h=_first(_kept_long(info, suffix), _kept_long(info), cache_write),
        reasoning=_first(
            _known(info, given, _REASONING + suffix), _known(info, given, _REASONING), output
        ),
    )


def _kept_long(info: Mapping[str, Any], suffix: str = "") -> int | None:
    """Return the price of writing to a cache for an hour or longer; of several the dearest."""
    ages = re.compile(rf"{_CACHE_WRITE}_above_[0-9]{{1,9}}hr{suffix}")
    known = (_price(info, name) for name in info if ages.fullmatch(name))
    return max((price for price in known if price is not None), default=None)


def _ranges(table: object, given: object, *, mode: str) -> tuple[Rates, tuple[Tier, ...]]:
    """Return the prices of a table of ranges: that of a prompt's length counts for the whole call.

    Alibaba's models have one. LiteLLM adds ranges up like a tax, which is never more.

    Raises:
        ValueError: It is no table of prices, or does not begin with the shortest prompts.
    """
    rows = table if isinstance(table, list) else []
    tiers: dict[int, Rates] = {}
    for row in rows:
        bounds = row.get("range") if isinstance(row, dict) else None
        if not isinstance(bounds, list) or not bounds or not isinstance(bounds[0], Decimal):
            raise ValueError(f"its {TIERS} has a range that is none")
        named = {name: value for name, value in row.items() if name != "range"}
        if (unknown := not_understood(named)) is not None:
            raise ValueError(f"its price {unknown} is not understood here")
        own = named if isinstance(given, Mapping) and given.get(TIERS) else None
        tiers[int(bounds[0])] = _base_rates(named, own, mode=mode)
    if min(tiers, default=1) != 0:
        raise ValueError(f"its {TIERS} does not begin at 0")
    base = tiers.pop(0)
    return base, tuple(Tier(above, tiers[above]) for above in sorted(tiers))


def _day(value: object) -> date | None:
    """Return a day written as ``2026-05-01``; None for anything else."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _price(info: Mapping[str, Any], name: str) -> int | None:
    """Return a price in units of 10^-30 USD, or None where it is missing or null.

    Raises:
        ValueError: There is something, but it is not a price.
    """
    value = info.get(name)
    if value is None:
        return None
    if not isinstance(value, Decimal) or not value.is_finite():
        raise ValueError(f"{name} is not a price")
    if value == 0:
        return 0
    text = str(value)
    # Checked first: turning 1e-999999999 into a ratio would take all memory.
    if value.adjusted() < _FINEST_EXPONENT or len(text) > _MAX_PRICE_LENGTH:
        raise ValueError(f"{name} is finer than any price")
    return price_units(text)


def _known(info: Mapping[str, Any], given: object, name: str) -> int | None:
    """Return a price that has a source: LiteLLM's map, or for one of 0 the operator."""
    price = _price(info, name)
    return price if price or _is_given(given, name) else None


def _is_given(parameters: object, name: str) -> bool:
    """Whether the operator set this price of a deployment, rather than LiteLLM's own map."""
    return isinstance(parameters, Mapping) and isinstance(parameters.get(name), Decimal)


def _longest_answer(info: Mapping[str, Any], mode: str) -> int | None:
    if mode == TRANSCRIPTION:
        return _limit(info, "max_output_tokens")
    # On an embedding model the old ``max_tokens`` is the length of its input.
    return _limit(info, "max_output_tokens", "max_tokens") if mode in _TEXT_MODES else None


def _limit(info: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these that is a count of tokens above zero."""
    for name in names:
        value = info.get(name)
        if isinstance(value, Decimal) and value.is_finite() and 0 < value <= MAX_TOKENS:
            return int(value)
    return None


def _first(*candidates: int | None) -> int:
    return next(candidate for candidate in candidates if candidate is not None)


def _dearest_rates(left: Rates, right: Rates) -> Rates:
    return Rates(
        input=max(left.input, right.input),
        output=max(left.output, right.output),
        cache_read=max(left.cache_read, right.cache_read),
        cache_write=max(left.cache_write, right.cache_write),
        cache_write_1h=max(left.cache_write_1h, right.cache_write_1h),
        reasoning=max(left.reasoning, right.reasoning),
    )


def _longer(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else max(left, right)
