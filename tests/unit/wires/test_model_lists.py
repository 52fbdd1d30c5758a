"""The list of models, as clients of either protocol read it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.flask_web.inference.model_list import offered
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import ModelPrice, Rates, Tariff, price_units
from creditcore.ports.inference import OfferedModel

RATES = Rates(
    input=price_units("0.0000015"),
    output=price_units("0.000002"),
    cache_read=price_units("0.00000015"),
    cache_write=price_units("0.0000015"),
    cache_write_1h=price_units("0.0000015"),
    reasoning=price_units("0.000002"),
)
TARIFF = Tariff.parse(credits_per_usd="2", markup="1.1")


def a_model(name: str = "m", *, mode: str = "chat", features: str = "") -> OfferedModel:
    price = ModelPrice(
        model=name,
        rates=RATES,
        max_input_tokens=128_000,
        max_output_tokens=16_384,
        mode=mode,
        features=frozenset(features.split()),
    )
    return offered(price, tariff=TARIFF, markup="1.1")


def at_openai(model: OfferedModel) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(ChatCompletions().model_document(model))
    return document


def test_a_model_says_what_openai_clients_look_for() -> None:
    document = at_openai(a_model(features="vision pdf_input"))

    assert (document["id"], document["object"]) == ("m", "model")
    assert (document["context_length"], document["max_output_tokens"]) == (128_000, 16_384)
    assert document["architecture"]["input_modalities"] == ["text", "image", "file"]
    assert document["architecture"]["output_modalities"] == ["text"]


def test_prices_are_what_people_pay_in_money_and_in_credits() -> None:
    document = at_openai(a_model())

    assert document["pricing"] == {
        "prompt": "0.00000165",
        "completion": "0.0000022",
        "input_cache_read": "0.000000165",
        "input_cache_write": "0.00000165",
    }
    assert document["credits_per_million_tokens"]["input"] == "330"


def test_parameters_of_what_a_model_cannot_do_are_not_supported() -> None:
    plain = set(at_openai(a_model())["supported_parameters"])
    able = set(at_openai(a_model(features="function_calling"))["supported_parameters"])

    assert "temperature" in plain
    assert "tools" not in plain
    assert {"tools", "tool_choice"} <= able


def test_an_embedding_model_gives_embeddings() -> None:
    document = at_openai(a_model(mode="embedding"))

    assert document["architecture"]["output_modalities"] == ["embeddings"]
    assert document["supported_parameters"] == []


def test_a_model_is_what_anthropics_sdk_reads() -> None:
    document = orjson.loads(Messages().model_document(a_model("claude")))

    assert document == {
        "type": "model",
        "id": "claude",
        "display_name": "claude",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 128_000,
        "max_tokens": 16_384,
    }


MODELS = [a_model(name) for name in "abcde"]


@pytest.mark.parametrize(
    ("query", "names", "has_more"),
    [
        ("", "abcde", False),
        ("limit=2", "ab", True),
        ("limit=2&after_id=b", "cd", True),
        ("limit=2&after_id=d", "e", False),
        ("limit=2&before_id=d", "bc", True),
        ("limit=9&before_id=b", "a", False),
        ("after_id=e", "", False),
    ],
)
def test_anthropics_list_has_pages(query: str, names: str, has_more: bool) -> None:
    page = orjson.loads(Messages().model_list(MODELS, query=query))

    assert [model["id"] for model in page["data"]] == list(names)
    assert page["has_more"] is has_more
    assert (page["first_id"], page["last_id"]) == ((names[0], names[-1]) if names else (None, None))


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=99999999999", "limit"),
        ("after_id=z", "after_id"),
        ("before_id=z", "before_id"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_by_name(query: str, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Messages().model_list(MODELS, query=query)

    assert caught.value.param == param


def test_openais_list_has_no_pages() -> None:
    listed = orjson.loads(ChatCompletions().model_list(MODELS, query="limit=1"))

    assert (listed["object"], len(listed["data"])) == ("list", 5)
