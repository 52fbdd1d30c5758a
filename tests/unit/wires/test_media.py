"""Images, speech, reranking and moderation: what they may cost, and what they did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.images import Images
from adapters.wires.openai.moderations import Moderations
from adapters.wires.openai.rerank import Rerank
from adapters.wires.openai.speech import Speech
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import Usage
from creditcore.domain.units import Extent, Unit
from creditcore.ports.inference import InferenceRequest, Meter, Wire
from tests.unit.wires.asking import Asking

images = Asking(Images(), {"prompt": "a cat"})
speech = Asking(Speech(), {"input": "hello", "voice": "alloy"})
rerank = Asking(Rerank(), {"query": "what?", "documents": ["a", "b"]})
moderation = Asking(Moderations(), {"input": "hello"})

ASKED = [images, speech, rerank, moderation]


def metered(asked: Asking, answer: object, *, unit: Unit | None, **fields: Any) -> Meter:
    request = replace(asked.parse(**fields), sold_by=unit)
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    meter = asked.wire.meter(request, receipt=lambda _: {}, explain=failure_within)
    meter.feed(body[:7])
    meter.feed(body[7:])
    meter.finish()
    return meter


def extent(request: InferenceRequest, unit: Unit) -> Extent | None:
    return replace(request, sold_by=unit).extent


@pytest.mark.parametrize("asked", ASKED)
def test_nothing_is_written_and_no_stream_is_asked_for(asked: Asking) -> None:
    request = asked.parse()

    assert (request.output_limit, request.choices, request.stream) == (0, 1, False)
    assert "stream" not in asked.sent(request)
    assert asked.refused(stream=True).code == "unsupported_parameter"
    assert asked.refused(mock_response="x").code == "unsupported_parameter"
    assert asked.refused(unheard_of=1).code == "unknown_parameter"


def test_images_are_as_many_as_asked_for() -> None:
    assert extent(images.parse(n=3), Unit.IMAGE) == (3, 3)
    assert extent(images.parse(), Unit.IMAGE_TOKEN) == (16_384, 1_056)
    assert extent(images.parse(n=2, quality="low", size="1024x1024"), Unit.IMAGE_TOKEN) == (
        8_192,
        2_112,
    )
    assert extent(images.parse(quality="low", size="3840x2160"), Unit.IMAGE_TOKEN) == (
        16_384,
        1_056,
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"quality": "hd"}, "quality"),
        ({"quality": "high"}, "quality"),
        ({"size": "1025x1024"}, "size"),
    ],
)
def test_one_price_for_each_image_is_that_of_a_plain_one(
    fields: dict[str, Any], param: str
) -> None:
    request = images.parse(**fields)

    with pytest.raises(InvalidRequestError) as caught:
        extent(request, Unit.IMAGE)
    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")
    assert extent(request, Unit.IMAGE_TOKEN) is not None


@pytest.mark.parametrize(
    ("asked", "fields", "param"),
    [
        (images, {"prompt": None}, "prompt"),
        (images, {"n": 11}, "n"),
        (images, {"n": True}, "n"),
        (images, {"size": "big"}, "size"),
        (images, {"size": "1x" + "9" * 6}, "size"),
        (images, {"quality": 1}, "quality"),
        (images, {"partial_images": 2}, "partial_images"),
        (speech, {"input": ""}, "input"),
        (speech, {"input": "a" * 4_097}, "input"),
        (speech, {"voice": None}, "voice"),
        (speech, {"voice": {"id": "voice_1"}}, "voice"),
        (speech, {"voice": ["alloy"]}, "voice"),
        (speech, {"speed": 5}, "speed"),
        (speech, {"speed": True}, "speed"),
        (speech, {"response_format": "ogg"}, "response_format"),
        (speech, {"response_format": []}, "response_format"),
        (speech, {"stream_format": "sse"}, "stream_format"),
        (rerank, {"query": None}, "query"),
        (rerank, {"documents": []}, "documents"),
        (rerank, {"documents": ["a"] * 1_001}, "documents"),
        (rerank, {"documents": ["a", 1]}, "documents[1]"),
        (rerank, {"top_n": 0}, "top_n"),
        (moderation, {"input": None}, "input"),
        (moderation, {"input": [1]}, "input[0]"),
        (moderation, {"input": [{"type": "input_audio"}]}, "input[0].type"),
        (
            moderation,
            {"input": [{"type": "image_url", "image_url": {"url": "file:///x"}}]},
            "input[0]",
        ),
    ],
)
def test_what_cannot_be_served_is_named(asked: Asking, fields: dict[str, Any], param: str) -> None:
    assert asked.refused(**fields).param == param


def test_speech_is_its_characters_and_its_format_is_told() -> None:
    request = speech.parse(input="日本!", response_format="opus")

    assert extent(request, Unit.CHARACTER) == (3, 3)
    assert speech.wire.media_type(request) == "audio/ogg"
    assert speech.wire.media_type(speech.parse()) == "audio/mpeg"


def test_searches_are_bounded_by_the_parts_that_long_documents_are_cut_into() -> None:
    short = rerank.parse(documents=["a"] * 101)
    long = rerank.parse(documents=["a" * 5_000] * 100)

    assert extent(short, Unit.SEARCH) == (2, 2)
    assert extent(long, Unit.SEARCH) == (11, 1)
    beside_a_long_query = rerank.parse(query="q" * 2_000, documents=["a" * 5_000] * 100)
    assert extent(beside_a_long_query, Unit.SEARCH) == (20, 1)
    assert "priority" not in rerank.sent(rerank.parse(priority=1))
    assert long.prompt_bound == (5_000 + 5 + 16) * 100


def test_a_moderation_may_leave_its_model_out_and_bring_images() -> None:
    request = Moderations().parse(b'{"input": "hi"}')
    pictured = moderation.parse(
        input=[{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    )

    assert request.model == "omni-moderation-latest"
    assert pictured.prompt_bound is None


DATA = {"data": [{"url": "https://example.org/1"}, {"url": "https://example.org/2"}]}
TOKENS = {"input_tokens": 9, "output_tokens": 300, "total_tokens": 309}
SPLIT = {**TOKENS, "output_tokens_details": {"text_tokens": 28, "image_tokens": 272}}
UNITS = {"search_units": 2, "total_tokens": 40}


@pytest.mark.parametrize(
    ("asked", "unit", "answer", "usage"),
    [
        (images, Unit.IMAGE, DATA, Usage(units=2)),
        (images, Unit.IMAGE, {"data": []}, Usage()),
        (images, Unit.IMAGE_TOKEN, {**DATA, "usage": TOKENS}, Usage(prompt_tokens=9, units=300)),
        (
            images,
            Unit.IMAGE_TOKEN,
            {**DATA, "usage": SPLIT},
            Usage(prompt_tokens=9, completion_tokens=28, units=272),
        ),
        (images, Unit.IMAGE_TOKEN, {**DATA, "usage": {"output_tokens": 0}}, None),
        (images, Unit.IMAGE_TOKEN, DATA, None),
        (images, Unit.IMAGE_TOKEN, {"data": []}, Usage()),
        (speech, Unit.CHARACTER, b"\xff\xfb\x90\x64 sound", Usage(units=5)),
        (
            rerank,
            Unit.SEARCH,
            {"results": [], "meta": {"billed_units": UNITS}},
            Usage(prompt_tokens=40, units=2),
        ),
        (rerank, Unit.SEARCH, {"results": []}, None),
        (
            rerank,
            None,
            {"results": [], "meta": {"tokens": {"input_tokens": 7}}},
            Usage(prompt_tokens=7),
        ),
        (rerank, None, {"results": [], "usage": {"total_tokens": 8}}, Usage(prompt_tokens=8)),
        (moderation, None, {"results": [{"flagged": False}]}, None),
    ],
)
def test_an_answer_is_counted_by_what_its_model_is_sold_by(
    asked: Asking, unit: Unit | None, answer: object, usage: Usage | None
) -> None:
    meter = metered(asked, answer, unit=unit)

    assert meter.complete
    assert meter.usage == usage


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    "answer", [b"", b'{"error": {"message": "Provider returned error", "code": 502}}']
)
def test_what_is_no_answer_is_a_failure(asked: Asking, answer: bytes) -> None:
    meter = metered(asked, answer, unit=None)

    assert meter.failure is not None
    assert meter.usage is None


@pytest.mark.parametrize("wire", [Images(), Rerank(), Moderations()])
def test_a_document_of_another_kind_is_no_answer(wire: Wire) -> None:
    asked = next(each for each in ASKED if each.wire.endpoint == wire.endpoint)

    assert metered(asked, {"choices": []}, unit=None).failure is not None
