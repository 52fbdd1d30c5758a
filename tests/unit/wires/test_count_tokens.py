"""Requests whose tokens are asked for, as they are counted and estimated."""

from __future__ import annotations

import base64
import sys
from typing import Any

import orjson
import pytest

from adapters.wires.anthropic.count_tokens import CountTokens
from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.token_counters import RequestToCount
from tests.unit.wires.pdfs import report

HELLO = [{"role": "user", "content": "12345678"}]
TOOLS = [{"name": "f", "input_schema": {"type": "object"}}]
PIXEL = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


def read(**fields: Any) -> RequestToCount:
    return CountTokens().read(orjson.dumps({"model": "m", "messages": HELLO, **fields}))


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def test_an_estimate_has_all_that_is_in_a_request() -> None:
    assert read().estimate == 2
    assert read(system="1234").estimate == 3
    assert read(tools=TOOLS).estimate > 10


def test_a_document_is_estimated_without_being_read() -> None:
    paper = base64.b64encode(report(["Paid."] * 9).packed(1)).decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": paper}
    messages = user({"type": "document", "source": source})
    called: set[str] = set()

    sys.setprofile(lambda frame, _event, _of: called.add(frame.f_globals["__name__"]))
    try:
        tokens = read(messages=messages).estimate
    finally:
        sys.setprofile(None)

    assert tokens == 1_500
    assert "adapters.wires.prompt" in called
    assert not {name for name in called if name.startswith("adapters.wires.pdf")}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 9}, "max_tokens"),
        ({"stream": True}, "stream"),
        ({"messages": []}, "messages"),
        ({"model": ""}, "model"),
        ({"tools": [{"type": "web_search_20250305"}]}, "tools[0].type"),
    ],
)
def test_what_could_not_be_a_call_is_not_counted(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read(**fields)

    assert caught.value.param == param


def test_what_is_counted_is_what_a_call_would_send() -> None:
    message = {"role": "user", "content": "hi", "metadata": {"internal": 1}}

    request = read(
        messages=[message], system="s", tools=TOOLS, metadata={"user_id": "u"}, temperature=1
    )

    assert request.fields == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "system": "s",
        "tools": TOOLS,
    }
    assert orjson.loads(request.written) == request.fields
    assert request.model == "m"


def test_tools_are_text_as_they_are_written() -> None:
    text = read(system="Be kind.", tools=TOOLS).text

    assert text is not None
    assert text.messages == (
        ("user", "Be kind."),
        ("user", orjson.dumps(TOOLS).decode()),
        ("user", "12345678"),
    )


def test_what_is_no_text_stays_as_it_is_estimated() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}

    request = read(messages=user({"type": "text", "text": "What is this?"}, picture))

    assert request.text is not None
    assert request.text.messages == (("user", "What is this?"),)
    # And one for the name of the kind of part, which is in no text.
    assert request.estimate_beside == 250 + 1
    assert read().estimate_beside == 0


def test_one_without_any_text_has_none() -> None:
    request = read(messages=user({"type": "image", "source": PIXEL}))

    assert request.text is None
    assert request.estimate_beside == request.estimate > 0


def test_the_texts_that_a_tokenizer_may_be_given_are_all_but_media() -> None:
    lookalike = {"type": "image", "source": {"data": "deep"}}
    messages = [
        {"role": "user", "content": "said"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "t", "name": "f", "input": {"key": [lookalike]}}
            ],
        },
        *user(
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [
                    {"type": "text", "text": "found"},
                    {"type": "image", "source": PIXEL},
                ],
            },
            {"type": "image", "source": PIXEL},
        ),
    ]

    texts = set(read(messages=messages, system=[{"type": "text", "text": "rules"}]).texts)

    assert {"said", "key", "deep", "found", "rules"} <= texts
    assert PIXEL["data"] not in texts
