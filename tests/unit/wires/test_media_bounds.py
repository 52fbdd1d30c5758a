"""What images and documents are held for depends on how the model is known to count them."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import orjson
import pytest

from adapters.wires.openai.chat import ChatCompletions
from creditcore import SystemClock
from creditcore.domain.pricing import ImageCount, ModelPrice, Rates, Tariff
from creditcore.testing.memory import MemoryModelGateway, MemoryTransactions
from creditcore.usecases.calls.planned_call import MAX_BYTES_PER_TOKEN, plan
from creditcore.usecases.calls.price_list import PriceList
from tests.unit.wires.pdfs import report
from tests.unit.wires.test_images import png

RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=1)
TARIFF = Tariff.parse(credits_per_usd="2", markup="1")


def prompt_bound(*parts: dict[str, object], ways: Iterable[str], context: int = 10_000_000) -> int:
    price = ModelPrice(
        model="m",
        rates=RATES,
        max_input_tokens=context,
        features=frozenset({"vision", *ways}),
    )
    prices = PriceList(
        transactions=MemoryTransactions(),
        gateway=MemoryModelGateway([price]),
        clock=SystemClock(),
    )
    prices.refresh()
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": list(parts)}]})
    return plan(ChatCompletions(), body, prices=prices, tariff=TARIFF).call.prompt_bound


def image(width: int, height: int, **beside: str) -> dict[str, object]:
    url = f"data:image/png;base64,{base64.b64encode(png(width, height)).decode()}"
    return {"type": "image_url", "image_url": {"url": url, **beside}}


def document(pages: int) -> dict[str, object]:
    data = base64.b64encode(report(["Paid."] * pages).packed(1)).decode()
    return {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{data}"}}


TILES, CLAUDE, GPT_5_6 = ImageCount.IN_TILES, ImageCount.CLAUDE_4_7, ImageCount.GPT_5_6


@pytest.mark.parametrize(
    ("part", "tiles", "claude", "gpt", "most"),
    [
        (image(1, 1), 255, 255, 255, 8_500),
        (image(1024, 1024), 765, 1_399, 1_230, 25_501),
        (image(3024, 4032), 765, 4_784, 14_365, 30_720),
        (image(1024, 1024, detail="high"), 765, 1_399, 1_230, 25_501),
        (image(3024, 4032, detail="high"), 765, 4_784, 3_001, 30_720),
        (image(1, 1, detail="low"), 85, 85, 85, 2_833),
        (image(3024, 4032, detail="low"), 85, 4_784, 309, 30_720),
        (document(1), 1_445, 4_784, 4_917, 48_169),
        (document(10), 14_450, 47_840, 49_170, 481_690),
    ],
)
def test_a_hold_is_as_large_as_its_model_may_count(
    part: dict[str, object], tiles: int, claude: int, gpt: int, most: int
) -> None:
    held: list[tuple[tuple[str, ...], int]] = [
        ((TILES,), tiles),
        ((CLAUDE,), claude),
        ((GPT_5_6,), gpt),
        ((CLAUDE, GPT_5_6), max(claude, gpt)),
        ((), most),
        # What an earlier version has stored counts for nothing.
        (("images_scaled_down",), most),
    ]

    for ways, tokens in held:
        # An invoice's text, and what stands around a medium, are the rest.
        assert tokens < prompt_bound(part, ways=ways) < tokens + 600 + tokens // 4


def test_many_pages_are_no_long_text() -> None:
    pages = document(10)

    assert prompt_bound(pages, ways=(), context=8_000) == 8_000
    assert prompt_bound(pages, ways=()) > 8_000 * MAX_BYTES_PER_TOKEN


def test_lines_that_a_shell_has_wrapped_change_no_bound() -> None:
    picture, paper = png(640, 480), report(["hello"]).packed(1)
    wrapped = base64.encodebytes(picture).decode()
    plain = base64.b64encode(picture).decode()
    lines = base64.encodebytes(paper).decode()
    file = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{lines}"}

    for letters in (wrapped, f" {plain}", plain.rstrip("=")):
        url = {"url": f"data:image/png;base64,{letters}"}
        assert prompt_bound({"type": "image_url", "image_url": url}, ways=()) < 100_000
    assert prompt_bound({"type": "file", "file": file}, ways=()) < 100_000
