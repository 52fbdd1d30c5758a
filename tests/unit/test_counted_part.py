"""Where a text is counted, all the rest of its prompt is held for as before."""

from __future__ import annotations

import json

import pytest

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.tokens import MOST_BYTES
from creditcore import SystemClock
from creditcore.domain.pricing import ImageCount, ModelPrice, Rates, Tariff
from creditcore.ports.inference import Wire
from creditcore.testing.memory import MemoryModelGateway, MemoryTransactions
from creditcore.usecases.calls.planned_call import PlannedCall, plan, with_text_bound
from creditcore.usecases.calls.price_list import PriceList

TARIFF = Tariff.parse(credits_per_usd="2", markup="1")
RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=1)
WORDS = "because the people of the world are here "
DIGITS = "0123456789" * 100
TOOLS = [{"name": "look", "description": DIGITS, "input_schema": {"type": "object"}}]
COUNT = 1_000

XAI_ADDS = 700
"""Its pages show so many tokens beside a question of two sentences."""


def planned(wire: Wire, *features: ImageCount, **fields: object) -> PlannedCall:
    price = ModelPrice(model="m", rates=RATES, features=frozenset(features))
    prices = PriceList(
        transactions=MemoryTransactions(),
        gateway=MemoryModelGateway([price]),
        clock=SystemClock(),
    )
    prices.refresh()
    body = json.dumps({"model": "m", "max_tokens": 9, **fields}).encode()
    return plan(wire, body, prices=prices, tariff=TARIFF)


def held_by_count(wire: Wire, *features: ImageCount, **fields: object) -> int:
    """Return what a prompt is held for whose text was counted."""
    call = planned(wire, *features, **fields)
    text = wire.text_of(call.request)
    assert text is not None
    bound = with_text_bound(call, text, COUNT).call.prompt_bound
    assert bound is not None
    return bound


@pytest.mark.parametrize("features", [(), (ImageCount.CLAUDE_4_7,), (ImageCount.IN_TILES,)])
def test_a_long_text_takes_nothing_from_the_rest(features: tuple[ImageCount, ...]) -> None:
    # The system is told first, and written last: what is looked at is not the same.
    system = "7" * MOST_BYTES
    messages = [{"role": "user", "content": WORDS * (MOST_BYTES // len(WORDS))}]

    held = held_by_count(Messages(), *features, system=system, messages=messages, tools=TOOLS)

    assert held >= COUNT + len(DIGITS)


@pytest.mark.parametrize("piece", [r"\name ", r"\tother ", r"\\ ", r"C:\result "])
def test_a_bare_text_is_no_json(piece: str) -> None:
    prompt = piece * 300
    whole = planned(Completions(), prompt=prompt).call.prompt_bound

    assert held_by_count(Completions(), prompt=prompt) >= min(COUNT, whole)


def test_what_xai_adds_is_in_no_count() -> None:
    messages = [{"role": "user", "content": WORDS * 90}]

    held = held_by_count(ChatCompletions(), ImageCount.GROK, messages=messages)

    assert held >= COUNT + XAI_ADDS


def test_tools_of_xai_have_room_beside_what_it_adds() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    tools = [{"type": "function", "function": {"name": "look"}}]
    call = planned(ChatCompletions(), ImageCount.GROK, messages=messages, tools=tools)
    elsewhere = planned(ChatCompletions(), messages=messages, tools=tools)

    assert call.call.prompt_bound >= elsewhere.call.prompt_bound + XAI_ADDS
