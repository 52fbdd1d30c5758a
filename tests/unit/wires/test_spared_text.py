"""What a text spares is the same however it is written, and whatever stands beside it."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.tokens import MOST_BYTES, spared_in, spared_in_json
from tests.unit.wires.asking import Asking
from tests.unit.wires.test_images import png

CHAT = Asking(ChatCompletions(), {})
COMPLETIONS = Asking(Completions(), {})

WORDS = "because the people of the world are here "
PICTURE = base64.b64encode(png(100, 100)).decode()
LONGER_PICTURE = base64.b64encode(png(100, 100, padding=3_000)).decode()
PIECES = ("return", "result", "because", "name", "framework", "path", " ", "é", "7", "C:", "'", "(")


def spared_as_json(text: str) -> int:
    """Return what a text spares where it is written as JSON, of its own bytes."""
    written = orjson.dumps(text)[1:-1]
    return spared_in_json(written) - (len(written) - len(text.encode()))


@given(st.lists(st.sampled_from((*PIECES, *'\r\n\t\b\f\\"'))).map("".join))
def test_a_text_spares_as_much_in_json_as_by_itself(text: str) -> None:
    assert spared_as_json(text) == spared_in(text)


@pytest.mark.parametrize("text", ["\resource", "\return", "\format", "\before", "\\\rest"])
def test_the_letter_of_an_escape_is_none_of_the_word_behind_it(text: str) -> None:
    assert spared_as_json(text * 99) == spared_in(text * 99)


def image(data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def spared_beside(text: str, *, picture: str, times: int) -> int:
    parts = [
        {"type": "text", "text": text},
        *[image(picture)] * times,
        {"type": "text", "text": text},
    ]
    return CHAT.parse(messages=[{"role": "user", "content": parts}]).text_size.spared


@pytest.mark.parametrize("text", [WORDS * 20, WORDS * 20 + "},{" * 9, f"{WORDS}iVBORw0KGgo" * 9])
@pytest.mark.parametrize("times", [1, 3])
def test_what_is_in_a_file_spares_nothing(text: str, times: int) -> None:
    assert spared_beside(text, picture=PICTURE, times=times) == spared_beside(
        text, picture=LONGER_PICTURE, times=times
    )


def test_a_file_that_stands_in_the_text_as_well_is_taken_out_once() -> None:
    text = WORDS * 20 + PICTURE

    here = spared_beside(text, picture=PICTURE, times=2)
    elsewhere = spared_beside(text, picture=LONGER_PICTURE, times=2)

    assert abs(here - elsewhere) < len(PICTURE) // 4


def test_what_is_looked_at_of_several_prompts_is_as_much_as_of_one() -> None:
    prompt = WORDS * (MOST_BYTES // len(WORDS))

    one = COMPLETIONS.parse(prompt=prompt)
    several = COMPLETIONS.parse(prompt=[prompt] * 3)

    assert several.text_size.spared <= one.text_size.spared + len(WORDS)


def test_what_several_prompts_spare_is_what_each_does() -> None:
    prompts = [WORDS * 9 + end for end in ("", "a", "  ", "\n")]

    several = COMPLETIONS.parse(prompt=prompts)

    assert several.text_size.spared == sum(map(spared_in, prompts))
