"""Media are the same in every spelling of their address, and are what is written beside them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from adapters.wires.addresses import usual_address
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.moderations import Moderations
from adapters.wires.openai.responses import Responses
from creditcore.ports.inference import InferenceRequest
from tests.unit.wires.asking import Asking
from tests.unit.wires.pdfs import report
from tests.unit.wires.test_images import png

chat, responses = Asking(ChatCompletions(), {}), Asking(Responses(), {})
messages, moderations = Asking(Messages(), {"max_tokens": 1}), Asking(Moderations(), {})
PICTURE = base64.b64encode(png(640, 480)).decode()
PAPER = base64.b64encode(report(["Paid."]).packed(1)).decode()


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def picture(url: str, **beside: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **beside}}


def pictured(url: str) -> dict[str, tuple[InferenceRequest, Any]]:
    """Return an image by address on each wire: the request, and the address that goes upstream."""
    asked = {
        "chat": chat.parse(messages=user(picture(url))),
        "short": chat.parse(messages=user({"type": "image_url", "image_url": url})),
        "responses": responses.parse(input=user({"type": "input_image", "image_url": url})),
        "moderations": moderations.parse(input=[picture(url)]),
    }
    sent = {
        "chat": chat.sent(asked["chat"])["messages"][0]["content"][0]["image_url"]["url"],
        "short": chat.sent(asked["short"])["messages"][0]["content"][0]["image_url"],
        "responses": responses.sent(asked["responses"])["input"][0]["content"][0]["image_url"],
        "moderations": moderations.sent(asked["moderations"])["input"][0]["image_url"]["url"],
    }
    return {wire: (asked[wire], sent[wire]) for wire in asked}


@pytest.mark.parametrize(
    "head",
    [
        "data:IMAGE/PNG;base64,",
        "Data:image/png;BASE64,",
        "data:image/png;charset=utf-8;base64,",
        "data:image/png;name=a b.png;charset=binary;base64,",
        " data: image/png ; base64, \n",
    ],
)
def test_an_inline_image_is_the_same_in_every_spelling(head: str) -> None:
    usual = pictured(f"data:image/png;base64,{PICTURE}")

    for wire, (request, sent) in pictured(head + PICTURE).items():
        assert request.prompt_bound == usual[wire][0].prompt_bound is not None
        assert sent == f"data:image/png;base64,{PICTURE}"


def test_an_address_on_the_web_is_the_same_in_capitals() -> None:
    for request, sent in pictured(" HTTPS://Example.com/A.png").values():
        assert (request.prompt_bound, sent) == (None, "https://Example.com/A.png")
    source = {"type": "url", "url": "Https://example.com/A.png"}
    request = messages.parse(messages=user({"type": "image", "source": source}))
    assert messages.sent(request)["messages"][0]["content"][0]["source"]["url"] == (
        "https://example.com/A.png"
    )


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:text/html;base64,AAAA", "ftp://x/y"])
def test_no_spelling_makes_an_image_of_something_else(url: str) -> None:
    assert chat.refused(messages=user(picture(url))).code == "invalid_value"


def test_a_paper_is_the_same_in_every_spelling() -> None:
    url = f"data:Application/PDF;name=x.docx;charset=binary;base64, {PAPER}"
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": url}}
    item = {"type": "input_file", "filename": "a.pdf", "file_data": url}

    of_chat, of_responses = chat.parse(messages=user(file)), responses.parse(input=user(item))

    # Without its parameters: no provider is to take it for what one of them says.
    plain = f"data:application/pdf;base64,{PAPER}"
    assert chat.sent(of_chat)["messages"][0]["content"][0]["file"]["file_data"] == plain
    assert responses.sent(of_responses)["input"][0]["content"][0]["file_data"] == plain
    assert of_chat.prompt_bound is not None
    assert of_responses.prompt_bound is not None


@pytest.mark.parametrize("name", ["format", "mime_type", "content_type"])
def test_what_is_said_to_be_something_else_has_no_size(name: str) -> None:
    """LiteLLM tells Gemini this name, and what begins as a PNG can have a PDF behind it."""
    url = f"data:image/png;base64,{PICTURE}"
    paper = f"data:application/pdf;base64,{PAPER}"

    def bound(part: dict[str, Any]) -> int | None:
        return chat.parse(messages=user(part)).prompt_bound

    assert bound(picture(url, **{name: "image/PNG"})) is not None
    assert bound(picture(url, **{name: "application/pdf"})) is None
    assert bound({"type": "file", "file": {"file_data": paper, name: "application/pdf"}})
    assert bound({"type": "file", "file": {"file_data": paper, name: "video/mp4"}}) is None


@pytest.mark.parametrize(
    ("noun", "stated", "data", "is_bounded"),
    [
        ("image", "Image/PNG", PICTURE, True),
        ("image", "application/pdf", PICTURE, False),
        ("document", "application/PDF ", PAPER, True),
        ("document", "video/mp4", PAPER, False),
    ],
)
def test_a_medium_of_a_message_is_what_it_says(
    noun: str, stated: str, data: str, *, is_bounded: bool
) -> None:
    source = {"type": "base64", "media_type": stated, "data": data}

    request = messages.parse(messages=user({"type": noun, "source": source}))

    assert (request.prompt_bound is not None) is is_bounded
    sent = messages.sent(request)["messages"][0]["content"][0]["source"]
    assert sent["media_type"] == stated.strip().lower()


def test_the_usual_spelling_is_not_copied() -> None:
    for address in ("https://example.com/a.png", f"data:image/png;base64,{PICTURE}", "hello"):
        assert usual_address(address) is address
