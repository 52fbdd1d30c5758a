"""How far holds are above what everyday requests cost: the table in the documents, as it is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from creditcore.domain.pricing import ImageCount
from tests.unit.wires.everyday import CLAUDE, NOT_KNOWN, OPENAI, Everyday, everyday

RECORD = Path(__file__).parents[3] / "docs" / "decisions" / "0037-holds-by-words.md"
GEMINI = frozenset({ImageCount.GEMINI_3})
COLUMNS = (OPENAI, GEMINI, CLAUDE, NOT_KNOWN)

PAGES_SAY = {CLAUDE: 4_740, OPENAI: 765, GEMINI: 1_120}
"""Tokens of the photo, by each provider's own page on images."""

REQUESTS = {request.name: request for request in everyday()}
PROSE = [name for name in REQUESTS if "a photo" not in name and "three tools" not in name]


def row(request: Everyday) -> str:
    held = (f"{tokens:,} ({tokens / request.counted:.1f})" for tokens in map(request.held, COLUMNS))
    before = request.by_bytes
    shown = [f"{before:,} ({before / request.counted:.1f})", *held]
    return f"| {request.name} | {request.counted:,} | {' | '.join(shown)} |"


def test_the_table_is_what_is_held() -> None:
    text = RECORD.read_text()

    assert [each for each in map(row, REQUESTS.values()) if each not in text] == []


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("features", COLUMNS, ids=["gpt-4o", "gemini", "claude", "not known"])
def test_no_less_is_held_than_litellm_counts(name: str, features: frozenset[str]) -> None:
    request = REQUESTS[name]

    assert request.held(features) >= request.counted


@pytest.mark.parametrize("name", PROSE)
@pytest.mark.parametrize("features", [OPENAI, GEMINI], ids=["gpt-4o", "gemini"])
def test_text_is_held_about_twice_at_most(name: str, features: frozenset[str]) -> None:
    request = REQUESTS[name]
    most = 2.2 if "Swahili" in name else 2

    assert request.held(features) < most * request.counted


@pytest.mark.parametrize("features", PAGES_SAY, ids=["claude", "gpt-4o", "gemini"])
def test_a_photo_is_held_less_than_four_times(features: frozenset[str]) -> None:
    request = REQUESTS["a photo of 3024 x 4032"]

    assert request.held(features) < 4 * max(PAGES_SAY[features], request.counted)
