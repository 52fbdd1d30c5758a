from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.embeddings import Embeddings, EmbeddingsMeter
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Wire
from tests.unit.wires.asking import Asking
from tests.unit.wires.recordings import VERSIONS, body_of

wire: Wire = Embeddings()
asking = Asking(wire, {"input": "hello"})
parse, refused = asking.parse, asking.refused


def test_nothing_is_written_so_nothing_is_bounded() -> None:
    request = parse(dimensions=256, encoding_format="base64", user="x")

    assert (request.output_limit, request.choices, request.stream) == (0, 1, False)
    # LiteLLM hands a ``stream`` on, which embeddings of no provider know.
    assert orjson.loads(wire.upstream_body(request, output_bound=0)) == {
        "model": "m",
        "input": "hello",
        "dimensions": 256,
        "encoding_format": "base64",
    }


@pytest.mark.parametrize(
    ("given", "count", "estimate"),
    [
        ("12345678", 1, 2),
        (["1234", "日本"], 2, 3),
        ([1, 2, 3], 1, 3),
        ([[1, 2], [3]], 2, 3),
    ],
)
def test_inputs_of_every_kind_are_counted(given: Any, count: int, estimate: int) -> None:
    request = parse(input=given)

    assert (request.prompts, request.prompt_estimate) == (count, estimate)


def test_a_token_is_one_token_and_a_byte_is_one_at_most() -> None:
    tokens, text = parse(input=[50_000] * 100), parse(input="日" * 100)

    assert tokens.prompt_bound == 100 + 8
    assert text.prompt_bound == 300 + 8


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": {"text": "x"}}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": ["a", None]}, "input[1]"),
        ({"dimensions": "8"}, "dimensions"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 10**9}, "dimensions"),
        ({"output_dimension": -1}, "output_dimension"),
        ({"task": "a" * 65}, "task"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"stream": True}, "stream"),
        ({"api_base": "http://x"}, "api_base"),
        ({"mock_response": "x"}, "mock_response"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_wrong_value_is_named(fields: dict[str, Any], param: str) -> None:
    assert refused(**fields).param == param


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_answer_passes_byte_for_byte(version: str) -> None:
    meter, body = EmbeddingsMeter(explain=failure_within), body_of(version, "embeddings")

    meter.feed(body)

    assert meter.finish() == body
    assert meter.usage == Usage(prompt_tokens=19, completion_tokens=0)
    assert meter.complete


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": 0}, {"prompt_tokens": -1}, {"prompt_tokens": "many"}]
)
def test_usage_that_cannot_be_true_is_none(usage: Any) -> None:
    meter = EmbeddingsMeter(explain=failure_within)

    meter.feed(orjson.dumps({"data": [], "usage": usage}))
    meter.finish()

    assert meter.usage is None
    assert meter.complete


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": {}}', b'{"error": {"message": "x"}}'])
def test_what_holds_no_embeddings_is_a_failure(body: bytes) -> None:
    meter = EmbeddingsMeter(explain=failure_within)

    meter.feed(body)

    assert meter.finish() == b""
    assert meter.failure is not None
    assert not meter.complete
