"""Request bodies that are not quite JSON."""

from __future__ import annotations

import json

import pytest

from adapters.wires.body import decode_body
from creditcore.domain.errors import InvalidRequestError

SMILE = "\U0001f600"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\uD83D cut", "\ufffd cut"),
        (r"\ude00 cut", "\ufffd cut"),
        (r"\ud83d\ud83d\ude00", f"\ufffd{SMILE}"),
        (r"\ud83d\ude00\ude00", f"{SMILE}\ufffd"),
        (r"\ud83d\n\\\ud83d", "\ufffd\n\\\ufffd"),
        (r"\\ud83d \ud83d", "\\ud83d \ufffd"),
    ],
)
def test_half_of_a_letter_is_replaced_by_the_mark_for_a_lost_one(written: str, read: str) -> None:
    assert decode_body(b'{"a":"%b"}' % written.encode()) == {"a": read}


def test_whole_letters_are_left_alone() -> None:
    fields = {"a": f"{SMILE} \\ud83d {SMILE}"}

    assert decode_body(json.dumps(fields).encode()) == fields


@pytest.mark.parametrize(
    "body", [rb'{"a":"\ud83d"', rb'{"a":"\ud83"}', rb'{"a":\ud83d}', b'{"\xff":1}']
)
def test_what_is_no_json_beside_that_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode_body(body)

    assert caught.value.code == "invalid_json"


def test_more_than_can_be_looked_at_soon_is_refused() -> None:
    text = rb"\n" * 300_000 + rb"\ud83d"

    assert decode_body(b'{"a":"%b"}' % text[2:]) != {}
    with pytest.raises(InvalidRequestError):
        decode_body(b'{"a":"%b"}' % text)
