"""On every wire a prompt spares what its words do, and nothing of the files in it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.responses import Responses
from creditcore.domain.pricing import ImageCount
from creditcore.domain.pricing.text_bound import text_bound
from tests.unit.wires.asking import Asking
from tests.unit.wires.pdfs import report
from tests.unit.wires.test_images import png

CHAT = Asking(ChatCompletions(), {})
MESSAGES = Asking(Messages(), {"max_tokens": 9})
RESPONSES = Asking(Responses(), {})
COMPLETIONS = Asking(Completions(), {})
EMBEDDINGS = Asking(Embeddings(), {})

PROSE = "The committee met on Tuesday to speak about the budget of the next year. " * 10
LETTERS = b64encode(PROSE.encode() * 3).decode()
"""Such as stand in a file, and are no text."""

SMALL = png(100, 100)
PICTURE = b64encode(SMALL + bytes(-len(SMALL) % 3)).decode() + "/and+the" * 600
"""What is behind an image is read as words, where it is not taken out."""

PAPER = b64encode(report([PROSE] * 3).plainly(1)).decode()

FEATURES = [frozenset({ImageCount.IN_TILES}), frozenset({ImageCount.CLAUDE_4_7}), frozenset[str]()]


def asked(asking: Asking, text: str) -> dict[str, Any]:
    """Return the field with the text, on some wire."""
    if asking is RESPONSES or asking is EMBEDDINGS:
        return {"input": text}
    if asking is COMPLETIONS:
        return {"prompt": text}
    return {"messages": [{"role": "user", "content": text}]}


def spared(asking: Asking, **fields: Any) -> int:
    """Return how many fewer tokens than bytes the prompt is, at least."""
    return asking.parse(**fields).text_size.spared


def chat_with(*parts: dict[str, Any], text: str = PROSE) -> dict[str, Any]:
    """Return a chat of a text and other parts."""
    content = [{"type": "text", "text": text}, *parts]
    return {"messages": [{"role": "user", "content": content}]}


def file_part(kind: str, data: str, name: str) -> dict[str, Any]:
    """Return a file."""
    return {
        "type": "file",
        "file": {"file_data": f"data:{kind};base64,{data}", "filename": name},
    }


PARTS = {
    "an image": (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
        PICTURE,
    ),
    "a paper": (file_part("application/pdf", PAPER, "a.pdf"), PAPER),
    "a text": (file_part("text/plain", LETTERS, "a.txt"), LETTERS),
}


@pytest.mark.parametrize("asking", [CHAT, MESSAGES, RESPONSES, COMPLETIONS])
def test_each_wire_spares_what_words_do(asking: Asking) -> None:
    assert spared(asking, **asked(asking, PROSE)) > len(PROSE) // 2


def test_embeddings_are_held_by_their_bytes() -> None:
    assert spared(EMBEDDINGS, **asked(EMBEDDINGS, PROSE)) == 0


@pytest.mark.parametrize("asking", [CHAT, MESSAGES, RESPONSES, COMPLETIONS])
def test_a_short_text_is_held_by_its_bytes(asking: Asking) -> None:
    assert spared(asking, **asked(asking, PROSE[:300])) == 0


@pytest.mark.parametrize("what", PARTS)
def test_a_file_spares_nothing(what: str) -> None:
    part, data = PARTS[what]
    around = 40

    without, with_it = spared(CHAT, **chat_with()), spared(CHAT, **chat_with(part))

    assert len(data) > 1_000
    assert without <= with_it <= without + around


@pytest.mark.parametrize("what", PARTS)
def test_the_letters_of_a_file_spare_nothing_where_they_stand_in_the_text_as_well(
    what: str,
) -> None:
    part, data = PARTS[what]
    around = 40

    as_text = spared(CHAT, **chat_with(text=PROSE + data))
    as_both = spared(CHAT, **chat_with(part, text=PROSE + data))

    assert as_text <= as_both + around
    assert as_both <= as_text + around


def test_each_file_is_taken_out_as_often_as_it_is_there() -> None:
    part, _ = PARTS["a text"]
    around = 40

    assert spared(CHAT, **chat_with(part, part, part)) <= spared(CHAT, **chat_with()) + 3 * around


def test_nothing_is_spared_where_a_file_is_written_otherwise_than_it_was_given() -> None:
    broken = file_part("text/plain", f"{LETTERS[:400]}\n{LETTERS[400:]}", "a.txt")

    assert spared(CHAT, **chat_with(broken)) == 0


def test_an_image_of_anthropic_spares_nothing() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    around = 60

    without, with_it = (
        spared(MESSAGES, **chat_with(*parts))
        for parts in ([], [{"type": "image", "source": source}])
    )

    assert without <= with_it <= without + around


texts = st.lists(
    st.sampled_from(
        [PROSE, "x = [1, 2]\n", "Habari ya asubuhi. ", "{}", "HTTPError: 502\n", "é中 ", "12345 "]
    ),
    min_size=1,
    max_size=6,
).map("".join)


@pytest.mark.parametrize("features", FEATURES, ids=["gpt-4o", "claude", "not known"])
@pytest.mark.parametrize("asking", [CHAT, MESSAGES, RESPONSES])
@given(said=st.lists(texts, min_size=1, max_size=5))
def test_the_share_of_a_text_and_the_rest_are_the_whole(
    asking: Asking, features: frozenset[str], said: list[str]
) -> None:
    field = "input" if asking is RESPONSES else "messages"
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    request = asking.parse(**{field: messages})
    text = asking.wire.text_of(request)
    assert text is not None
    assert request.prompt_bound is not None

    whole = text_bound(request.prompt_bound, request.text_size, features)
    share = text_bound(text.bound, text.size, features)

    # What is left is the fields around the messages.
    around = 100 + 3 * len(said)
    assert -around <= whole - share <= around
