"""No call of a model that is sold by units costs more than was held for it.

What providers count is written here a second time, from their own pages.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from math import ceil
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.litellm.prices import read_catalogue
from adapters.wires.openai.images import Images
from adapters.wires.openai.rerank import Rerank
from adapters.wires.openai.speech import Speech
from adapters.wires.openai.transcriptions import Transcriptions
from creditcore import SystemClock
from creditcore.domain.pricing import Tariff, Usage
from creditcore.ports.inference import HeardWire
from creditcore.testing.memory import MemoryModelGateway, MemoryTransactions
from creditcore.usecases.calls.planned_call import plan
from creditcore.usecases.calls.price_list import PriceList

TARIFF = Tariff.parse(credits_per_usd="2", markup="1.15")
MODELS = {
    "by-image": {"mode": "image_generation", "output_cost_per_image": 0.04},
    "by-image-token": {
        "mode": "image_generation",
        "input_cost_per_token": 5e-06,
        "output_cost_per_token": 1e-05,
        "output_cost_per_image_token": 3e-05,
    },
    "by-character": {"mode": "audio_speech", "input_cost_per_character": 1.5e-05},
    "by-search": {"mode": "rerank", "input_cost_per_query": 0.002},
    "by-second": {"mode": "audio_transcription", "input_cost_per_second": 0.0001},
    "by-sound-token": {
        "mode": "audio_transcription",
        "max_input_tokens": 16_000,
        "max_output_tokens": 2_000,
        "input_cost_per_token": 2.5e-06,
        "input_cost_per_audio_token": 6e-06,
        "output_cost_per_token": 1e-05,
    },
}
IMAGE_TOKENS = {
    # OpenAI's guide to images: gpt-image-1, and what its calculator says of gpt-image-2.
    ("low", "1024x1024"): 272,
    ("low", "1024x1536"): 408,
    ("medium", "1024x1024"): 1_756,
    ("medium", "1536x1024"): 1_568,
    ("high", "1024x1024"): 7_024,
    ("high", "1024x1536"): 6_240,
    ("high", "3584x2048"): 12_329,
    (None, None): 4_160,
    ("auto", "auto"): 7_024,
}


class Sound:
    name, media_type = "said.wav", "audio/wav"

    def __init__(self, data: bytes) -> None:
        self.data, self.length = data, len(data)

    def parts(self) -> Iterator[bytes]:
        yield self.data

    def ends(self) -> tuple[bytes, bytes]:
        return self.data[:65_536], self.data[-65_536:]


@pytest.fixture(scope="module")
def prices() -> PriceList:
    rows = [{"model_name": name, "model_info": info} for name, info in MODELS.items()]
    catalogue = read_catalogue(orjson.dumps({"data": rows}))
    found = PriceList(
        transactions=MemoryTransactions(),
        gateway=MemoryModelGateway(list(catalogue.prices)),
        clock=SystemClock(),
    )
    found.refresh()
    return found


def assert_covered(
    prices: PriceList, wire: HeardWire, fields: dict[str, Any], usage: Usage
) -> None:
    planned = plan(wire, orjson.dumps(fields), prices=prices, tariff=TARIFF)

    charge = planned.price.cost(usage, TARIFF).microcredits

    assert charge <= planned.ceiling.amount().microcredits, (fields, usage)


@settings(max_examples=40)
@given(data=st.data())
def test_images_cost_what_was_held_at_most(prices: PriceList, *, data: st.DataObject) -> None:
    (quality, size), tokens = data.draw(st.sampled_from(sorted(IMAGE_TOKENS.items(), key=str)))
    prompt, count = data.draw(st.text(min_size=1, max_size=80)), data.draw(st.integers(1, 10))
    asked = {"model": "by-image-token", "prompt": prompt, "n": count}
    asked |= {name: each for name, each in (("quality", quality), ("size", size)) if each}
    text = data.draw(st.integers(0, tokens * count))
    read = data.draw(st.integers(0, len(prompt.encode())))

    assert_covered(
        prices,
        Images(),
        asked,
        Usage(prompt_tokens=read, completion_tokens=text, units=tokens * count - text),
    )
    assert_covered(
        prices, Images(), {"model": "by-image", "prompt": prompt, "n": count}, Usage(units=count)
    )


@settings(max_examples=40)
@given(text=st.text(min_size=1, max_size=300))
def test_speech_costs_what_was_held(prices: PriceList, *, text: str) -> None:
    asked = {"model": "by-character", "input": text, "voice": "alloy"}

    assert_covered(prices, Speech(), asked, Usage(units=len(text)))


@settings(max_examples=40)
@given(data=st.data())
def test_searches_cost_what_was_held_at_most(prices: PriceList, *, data: st.DataObject) -> None:
    query = data.draw(st.text(min_size=1, max_size=60))
    lengths = data.draw(st.lists(st.integers(0, 6_000), min_size=1, max_size=120))
    beside = data.draw(st.integers(0, len(query.encode())))
    # Cohere: a document above 510 tokens with the query is cut, and each part counts, beside which
    # the query is read anew.
    chunks = sum(max(1, ceil(length / (510 - beside))) for length in lengths)
    asked = {"model": "by-search", "query": query, "documents": ["a" * each for each in lengths]}

    assert_covered(prices, Rerank(), asked, Usage(units=ceil(chunks / 100)))


@settings(max_examples=40)
@given(
    rate=st.sampled_from([8_000, 16_000, 44_100]),
    width=st.sampled_from([1, 2]),
    frames=st.integers(1, 40_000),
    written=st.integers(0, 2_000),
)
def test_transcripts_cost_what_was_held_at_most(
    prices: PriceList, *, rate: int, width: int, frames: int, written: int
) -> None:
    said = io.BytesIO()
    with wave.open(said, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(frames * width))
    wire = Transcriptions().holding(Sound(said.getvalue()))
    # OpenAI bills seconds that have begun; Gemini takes 32 tokens for one, OpenAI 10.
    seconds = ceil(frames / rate)
    fields = {"file": "digest"}

    assert_covered(prices, wire, {"model": ["by-second"], **fields}, Usage(units=1_000 * seconds))
    assert_covered(
        prices,
        wire,
        {"model": ["by-sound-token"], **fields},
        Usage(completion_tokens=written, units=32 * seconds),
    )
