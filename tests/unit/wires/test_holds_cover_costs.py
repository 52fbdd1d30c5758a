"""No call costs more than was held for it, by LiteLLM's own costs and what providers count.

Requests are generated on every wire. What a provider may count for one is written here a second
time, from its own documents, and never taken from the bound that is on trial.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.litellm.prices import read_catalogue
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.responses import Responses
from creditcore import SystemClock
from creditcore.domain.pricing import ImageCount as Count
from creditcore.domain.pricing import Tariff
from creditcore.ports.inference import Wire
from creditcore.testing.memory import MemoryModelGateway, MemoryTransactions
from creditcore.usecases.calls.planned_call import DEFAULT_OUTPUT_BOUND, plan
from creditcore.usecases.calls.price_list import PriceList
from tests.unit.wires.pdfs import report
from tests.unit.wires.provider_images import (
    LIMITS,
    by_alibaba,
    by_anthropic,
    by_google,
    by_litellm,
    by_mistral,
    in_patches,
    in_tiles,
)

_COSTS = json.loads(
    (Path(__file__).parents[2] / "data" / "litellm-costs.json").read_text(), parse_float=Decimal
)
MODELS: Mapping[str, Mapping[str, Any]] = _COSTS["models"]
TARIFF = Tariff.parse(credits_per_usd="2", markup="1.15")
MICROCREDITS_PER_USD = Fraction(230_000_000)

PER_MESSAGE, PER_CALL = 4, 3
"""OpenAI's cookbook, "How to count tokens with tiktoken"; Anthropic's page on tool use."""

Draw = Callable[[st.SearchStrategy[Any]], Any]


def litellm_cost(info: Mapping[str, Any], usage: Mapping[str, int]) -> Fraction:
    """Return a call's cost as ``generic_cost_per_token`` of LiteLLM computes it, but exactly."""
    suffix = ""
    for name in info:
        tier = re.fullmatch(r"input_cost_per_token(_above_([0-9]+)k_tokens)", name)
        xai = info["litellm_provider"] == "xai"
        if tier and usage["prompt"] > int(tier[2]) * 1000 - xai:
            suffix = max(suffix, tier[1], key=lambda text: (len(text), text))

    def price(name: str, otherwise: str | None = None) -> Fraction:
        for each in (name + suffix, name):
            if each in info:
                return Fraction(Decimal(info[each]))
        return Fraction(0) if otherwise is None else price(otherwise)

    plain = usage["prompt"] - usage["cached"] - usage["written"]
    return (
        plain * price("input_cost_per_token")
        + usage["cached"] * price("cache_read_input_token_cost", "input_cost_per_token")
        + (usage["written"] - usage["written_1h"])
        * price("cache_creation_input_token_cost", "input_cost_per_token")
        + usage["written_1h"]
        * price(
            "cache_creation_input_token_cost_above_1hr"
            if "cache_creation_input_token_cost_above_1hr" in info
            else "cache_creation_input_token_cost",
            "input_cost_per_token",
        )
        + usage["completion"] * price("output_cost_per_token")
    )


def test_the_costs_here_are_litellms_own() -> None:
    for case in _COSTS["cases"]:
        info = MODELS[case["model"]]
        if case["cached_tokens"] and "cache_read_input_token_cost" not in info:
            continue  # LiteLLM takes an unknown price for nothing; here it is the dearer one.
        if case["cache_creation_tokens"] and "cache_creation_input_token_cost" not in info:
            continue
        usage = {
            "prompt": case["prompt_tokens"],
            "completion": case["completion_tokens"],
            "cached": case["cached_tokens"],
            "written": case["cache_creation_tokens"],
            "written_1h": 0,
        }
        recorded = Fraction(Decimal(case["cost_usd"]))

        assert abs(litellm_cost(info, usage) - recorded) <= recorded / 10**12, case


PAGE_PATCHES = 4_096
"""OpenAI shows a page within 2,048 by 2,048 pixels."""

DEAR_PAGE = 2833 + 8 * 5667

ImageTokens = Callable[[int, int], float]


def patched(count: Count) -> ImageTokens:
    multiplier, limits = LIMITS[count]
    return lambda *size: ceil(in_patches(*size, *limits[None]) * multiplier)


PROVIDERS: Mapping[str, tuple[ImageTokens, int]] = {
    "o3-": (lambda *size: 75 + 150 * in_tiles(*size), 75 + 8 * 150),
    "gpt-5.2": (patched(Count.GPT_5_2), ceil(PAGE_PATCHES * 1.2)),
    "gpt-5.4": (patched(Count.GPT_5_4), ceil(PAGE_PATCHES * 1.2)),
    "gpt-5.6": (patched(Count.GPT_5_6), ceil(PAGE_PATCHES * 1.2)),
    "claude-fable-5": (lambda *size: by_anthropic(*size, 2_576, 4_784), 4_784),
    "claude-opus-4-2": (lambda *size: by_anthropic(*size, 1_568, 1_568), 1_568),
    "claude-sonnet-4-5": (lambda *size: by_anthropic(*size, 1_568, 1_568), 1_568),
    "gemini-2": (by_google, 258),
    "gemini-3": (lambda *_: 1_120, 1_120),
    "xai/": (lambda *_: 1_792, DEAR_PAGE),
    "mistral/": (lambda *size: by_mistral(*size, 1_024, 16), DEAR_PAGE),
}
"""How names of models begin whose providers say what they count, and run them themselves: for an
image, and for a picture of a page, beside which stands its text.
"""


def image_tokens(name: str, width: int, height: int) -> list[float]:
    """Return what a provider may count for an image, by its own page about images."""
    by_name = [of for begin, (of, _) in PROVIDERS.items() if name.startswith(begin)]
    anyhow = [
        *(of for of, _ in PROVIDERS.values()),
        *map(patched, LIMITS),
        lambda *size: 2833 + 5667 * in_tiles(*size),
        by_alibaba,
    ]
    counted = [of(width, height) for of in by_name or anyhow]
    return [by_litellm(width, height, "high"), *counted]


def page_tokens(name: str) -> list[int]:
    """Return what a provider may count for the picture of a page."""
    by_name = [page for begin, (_, page) in PROVIDERS.items() if name.startswith(begin)]
    return by_name or [page for _, page in PROVIDERS.values()]


def picture(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return base64.b64encode(head + b"\x08\x02\0\0\0").decode()


def most_tokens(text: str) -> int:
    """Return the tokens of a text whose letters may be words, and the rest a token a byte."""
    letters = sum(letter.isascii() and (letter.isalpha() or letter == " ") for letter in text)
    return len(text.encode()) - letters + letters // 3


def tool_preamble(name: str) -> int:
    """Return what a provider adds about tools: Anthropic says how much, others write less."""
    return 100 if name.startswith(("gpt-", "o1", "o3", "gemini-")) else 600


class Asked:
    """A request, and how many tokens a provider may count for it."""

    def __init__(self, draw: Draw, name: str) -> None:
        self.draw = draw
        self.tokens = PER_CALL
        self.texts = draw(st.lists(st.text(max_size=60), min_size=1, max_size=4))
        sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
        self.images = draw(st.lists(sizes, max_size=2))
        self.documents = draw(
            st.lists(st.lists(st.text("aZ.)", max_size=40), min_size=1), max_size=1)
        )
        self.tools = draw(st.lists(st.text("abcdefgh ", min_size=1, max_size=20), max_size=2))
        self.keeps_long = draw(st.booleans())
        for text in self.texts:
            self.tokens += PER_MESSAGE + draw(st.integers(0, most_tokens(text)))
        for width, height in self.images:
            self.tokens += ceil(draw(st.sampled_from(image_tokens(name, width, height))))
        for pages in self.documents:
            for text in pages:
                self.tokens += draw(st.sampled_from(page_tokens(name)))
                self.tokens += draw(st.integers(0, len(text)))
        if self.tools:
            self.tokens += draw(st.integers(0, tool_preamble(name)))
            self.tokens += draw(st.integers(0, len(orjson.dumps(self.schemas)) // 3))

    @property
    def files(self) -> list[str]:
        return [base64.b64encode(report(pages).packed(1)).decode() for pages in self.documents]

    @property
    def schemas(self) -> list[dict[str, Any]]:
        parameters = {"type": "object", "properties": {"where": {"type": "string"}}}
        return [
            {"name": f"tool_{at}", "description": text, "parameters": parameters}
            for at, text in enumerate(self.tools)
        ]


def chat(asked: Asked) -> dict[str, Any]:
    pictures = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture(*size)}"}}
        for size in asked.images
    ]
    files = [
        {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{each}"}}
        for each in asked.files
    ]
    first, *others = asked.texts
    content = [{"type": "text", "text": first}, *pictures, *files]
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    messages += [{"role": "user", "content": text} for text in others]
    fields: dict[str, Any] = {"messages": messages, "n": asked.draw(st.integers(1, 4))}
    if asked.tools:
        fields["tools"] = [{"type": "function", "function": each} for each in asked.schemas]
    return fields


def completions(asked: Asked) -> dict[str, Any]:
    asked.tokens = sum(asked.draw(st.integers(0, most_tokens(text))) for text in asked.texts)
    # Without a limit this protocol means 16 tokens.
    limit = asked.draw(st.sampled_from([16, 1, 200_000]))
    prompts = [text or "x" for text in asked.texts]
    return {"prompt": prompts, "n": asked.draw(st.integers(1, 3)), "max_tokens": limit}


def responses(asked: Asked) -> dict[str, Any]:
    pictures = [
        {"type": "input_image", "image_url": f"data:image/png;base64,{picture(*size)}"}
        for size in asked.images
    ]
    files = [
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": f"data:application/pdf;base64,{each}",
        }
        for each in asked.files
    ]
    first, *others = asked.texts
    content = [{"type": "input_text", "text": first}, *pictures, *files]
    items: list[dict[str, Any]] = [{"role": "user", "content": content}]
    items += [{"role": "user", "content": text} for text in others]
    fields: dict[str, Any] = {"input": items}
    if asked.tools:
        fields["tools"] = [{"type": "function", **each} for each in asked.schemas]
    return fields


def messages(asked: Asked) -> dict[str, Any]:
    pictures: list[dict[str, Any]] = [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": picture(*size)},
        }
        for size in asked.images
    ]
    pictures += [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": each},
        }
        for each in asked.files
    ]
    first, *others = asked.texts
    said: dict[str, Any] = {"type": "text", "text": first or "x"}
    if asked.keeps_long:
        said["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
    turns: list[dict[str, Any]] = [{"role": "user", "content": [said, *pictures]}]
    turns += [{"role": "user", "content": text or "x"} for text in others]
    fields: dict[str, Any] = {"messages": turns, "max_tokens": asked.draw(st.integers(1, 9_000))}
    if asked.tools:
        fields["tools"] = [
            {
                "name": each["name"],
                "description": each["description"],
                "input_schema": each["parameters"],
            }
            for each in asked.schemas
        ]
    return fields


WIRES: list[tuple[Wire, Callable[[Asked], dict[str, Any]], str]] = [
    (ChatCompletions(), chat, "max_tokens"),
    (Completions(), completions, "max_tokens"),
    (Responses(), responses, "max_output_tokens"),
    (Messages(), messages, "max_tokens"),
]


@pytest.fixture(scope="module")
def prices() -> PriceList:
    rows = [
        {"model_name": name, "model_info": info, "litellm_params": {**info, "model": name}}
        for name, info in MODELS.items()
    ]
    catalogue = read_catalogue(json.dumps({"data": rows}, default=float).encode())
    clock = SystemClock()
    found = PriceList(
        transactions=MemoryTransactions(),
        gateway=MemoryModelGateway(list(catalogue.prices)),
        clock=clock,
    )
    found.refresh()
    return found


@pytest.mark.parametrize(
    ("wire", "ask", "limit_field"), WIRES, ids=[wire.endpoint for wire, _, _ in WIRES]
)
@settings(max_examples=40)
@given(data=st.data())
def test_no_call_costs_more_than_was_held_for_it(
    prices: PriceList,
    *,
    data: st.DataObject,
    wire: Wire,
    ask: Callable[[Asked], dict[str, Any]],
    limit_field: str,
) -> None:
    draw = data.draw
    name = draw(st.sampled_from(sorted(MODELS)))
    info = MODELS[name]
    asked = Asked(draw, name)
    fields = ask(asked)
    if limit_field not in fields and draw(st.booleans()):
        fields[limit_field] = draw(st.integers(1, 200_000))

    planned = plan(
        wire, orjson.dumps({"model": name, **fields}), prices=prices, tariff=TARIFF, can_grow=False
    )

    # A provider refuses what is beyond its context, and writes no more than it is told.
    prompt = asked.tokens
    if not planned.price.tiers and info.get("max_input_tokens"):
        prompt = min(prompt, int(info["max_input_tokens"]) * planned.request.prompts)
    longest = int(info.get("max_output_tokens") or info.get("max_tokens") or DEFAULT_OUTPUT_BOUND)
    limit = min(fields.get(limit_field, longest), longest)
    written = draw(st.integers(0, prompt))
    kept_long = wire.endpoint == Messages.endpoint and asked.keeps_long
    usage = {
        "prompt": prompt,
        "completion": limit * planned.request.choices,
        "written": written,
        "written_1h": draw(st.integers(0, written)) if kept_long else 0,
        "cached": draw(st.integers(0, prompt - written)),
    }
    charge = ceil(litellm_cost(info, usage) * MICROCREDITS_PER_USD)
    assert charge <= planned.ceiling.amount().microcredits, (name, usage, fields)
