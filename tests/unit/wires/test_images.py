"""Inline images are held by their size, on every wire; unreadable ones by the whole context."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.anthropic.messages import Messages
from adapters.wires.image_size import ImageSize, size_of_base64
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.responses import Responses
from creditcore.domain.pricing import ImageCount
from tests.unit.wires.asking import Asking


def png(width: int, height: int, *, padding: int = 0) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + bytes(padding)
    )


def jpeg(width: int, height: int, *, before: int = 0) -> bytes:
    segment = b"\xff\xe1" + struct.pack(">H", before + 2) + bytes(before)
    frame = b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + bytes(10)
    return b"\xff\xd8" + segment + frame


def gif(screen: tuple[int, int], frame: tuple[int, int, int, int]) -> bytes:
    colours = bytes([0x80, 0, 0]) + bytes(6)
    remark = b"\x21\xfe\x03abc\0"
    return (
        b"GIF89a"
        + struct.pack("<HH", *screen)
        + colours
        + remark
        + b"\x2c"
        + struct.pack("<HHHH", *frame)
        + bytes(2)
    )


def webp(kind: bytes, payload: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + kind + bytes(4) + payload


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "data",
    [
        png(640, 480),
        jpeg(640, 480, before=60_000),
        gif((640, 480), (0, 0, 640, 480)),
        gif((1, 1), (40, 80, 600, 400)),
        webp(b"VP8X", bytes(4) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")),
        webp(b"VP8L", b"\x2f" + (639 | 479 << 14).to_bytes(4, "little")),
        webp(b"VP8 ", bytes(6) + struct.pack("<HH", 640, 480)),
    ],
    ids=["png", "jpeg", "gif", "gif-that-lies", "webp-x", "webp-l", "webp"],
)
def test_the_size_is_read_from_the_head(data: bytes) -> None:
    assert size_of_base64(text(data)) == ImageSize(640, 480)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "AAAA",
        "no base64",
        text(png(640, 480))[:20],
        text(png(0, 480)),
        text(png(2**31, 480)),
        text(b"\xff\xd8\xff\xda" + bytes(20)),
        text(b"\xff\xd8\xff"),
        text(b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(9)),
        text(gif((1, 1), (0, 0, 640, 480))[:20]),
        text(jpeg(640, 480, before=60_000)[:1000]),
    ],
)
def test_a_head_that_cannot_be_read_has_no_size(data: str) -> None:
    assert size_of_base64(data) is None


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    for start in (b"", b"\xff\xd8", b"RIFF0000WEBPVP8X", b"\x89PNG\r\n\x1a\n", b"GIF89a"):
        size_of_base64(text(start + data))


def user(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [part]}]


chat = Asking(ChatCompletions(), {})
responses = Asking(Responses(), {})
messages = Asking(Messages(), {"max_tokens": 1})


def asked(wire: str, data: bytes) -> Any:
    url = f"data:image/png;base64,{text(data)}"
    if wire == "chat":
        return chat.parse(messages=user({"type": "image_url", "image_url": {"url": url}}))
    if wire == "responses":
        return responses.parse(input=user({"type": "input_image", "image_url": url}))
    source = {"type": "base64", "media_type": "image/png", "data": text(data)}
    return messages.parse(messages=user({"type": "image", "source": source}))


@pytest.mark.parametrize("wire", ["chat", "responses", "messages"])
@pytest.mark.parametrize(
    ("size", "least", "most"),
    [((1, 1), 8_500, 9_500), ((1024, 1024), 25_000, 27_000), ((9000, 9000), 207_000, 209_000)],
)
def test_an_image_is_held_by_its_size(
    wire: str, size: tuple[int, int], least: int, most: int
) -> None:
    small, large = asked(wire, png(*size)), asked(wire, png(*size, padding=3_000_000))

    assert least <= small.prompt_bound <= most
    # The length of the file is no count of tokens.
    assert large.prompt_bound == small.prompt_bound


@pytest.mark.parametrize("wire", ["chat", "responses", "messages"])
def test_an_unreadable_image_needs_the_whole_context(wire: str) -> None:
    assert asked(wire, b"nonsense").prompt_bound is None


@pytest.mark.parametrize(("detail", "counted"), [("high", 765), ("low", 85)])
def test_low_detail_is_held_low_where_a_wire_has_it(detail: str, counted: int) -> None:
    url = f"data:image/png;base64,{text(png(1024, 1024))}"
    image_url = {"type": "image_url", "image_url": {"url": url, "detail": detail}}
    input_image = {"type": "input_image", "image_url": url, "detail": detail}

    by_chat = chat.parse(messages=user(image_url))
    by_responses = responses.parse(input=user(input_image))

    assert by_chat.media_bound == by_responses.media_bound
    assert by_chat.media_bound.by_count[ImageCount.IN_TILES] == by_chat.prompt_estimate == counted


def test_the_detail_of_an_image_that_a_tool_returned_may_be_lost() -> None:
    url = f"data:image/png;base64,{text(png(1024, 1024))}"
    part = {"type": "input_image", "image_url": url, "detail": "low"}
    output = {"type": "function_call_output", "call_id": "c", "output": [part]}

    bound = responses.parse(input=[output]).media_bound

    assert bound.by_count[ImageCount.IN_TILES] == 765
    assert bound.by_count[ImageCount.GEMINI_3] == 2_240


def test_a_large_image_without_a_report_counts_more_than_a_small_one() -> None:
    small, large = asked("chat", png(1, 1)), asked("chat", png(1024, 1024))

    assert small.prompt_estimate == 85 + 170
    assert large.prompt_estimate == 85 + 4 * 170


def test_a_document_without_a_report_counts_by_its_length() -> None:
    part = {"type": "file", "file": {"file_data": "data:application/pdf;base64," + "A" * 320_000}}

    assert chat.parse(messages=user(part)).prompt_estimate >= 10_000
