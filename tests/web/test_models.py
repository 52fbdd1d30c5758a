"""The catalogue of models says what each can do, where the price list says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from creditcore.domain.pricing import ImageCount, ModelPrice, Rates
from creditcore.testing.memory import MemoryTransactions
from tests.visitors import Visitor
from tests.web.site import Site

RATES = Rates(
    input=10**24,
    output=10**24,
    cache_read=10**24,
    cache_write=10**24,
    cache_write_1h=10**24,
    reasoning=10**24,
)
PLAIN = ModelPrice(model="plain", rates=RATES, mode="chat")
SEES = replace(
    PLAIN, model="sees", features=frozenset({"vision", "function_calling", ImageCount.CLAUDE_3})
)
CACHES = replace(PLAIN, model="caches", features=frozenset({"prompt_caching", "function_calling"}))
CHIP = re.compile(r'<li class="chip">([^<]+)</li>')
NAME = re.compile(r'<span class="lead">(plain|sees|caches)</span>')


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    site = Site(MemoryTransactions(), tmp_path_factory.mktemp("models"))
    with site.store.begin() as tx:
        tx.prices.replace_all([PLAIN, SEES, CACHES], at=site.services.clock.now())
        tx.commit()
    with Visitor(site) as visitor:
        yield visitor


def test_a_model_says_what_it_can_do_as_far_as_it_is_known(stranger: Visitor) -> None:
    assert CHIP.findall(stranger.get("/models/sees").text) == ["Vision", "Tools"]
    assert CHIP.findall(stranger.get("/models/plain").text) == []
    assert CHIP.findall(stranger.get("/models").text) == [
        *("Tools", "Prompt caching"), *("Vision", "Tools")
    ]  # fmt: skip
    listed = stranger.get("/models/index.json").json()["data"]
    assert {row["id"]: row["features"] for row in listed} == {
        "caches": ["function_calling", "prompt_caching"],
        "plain": [],
        "sees": ["vision", "function_calling"],
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("can=function_calling", ["caches", "sees"]),
        ("can=vision", ["sees"]),
        ("can=vision&q=cach", []),
        ("can=flying", ["caches", "plain", "sees"]),
        ("can=images_as_claude_3", ["caches", "plain", "sees"]),
        ("", ["caches", "plain", "sees"]),
    ],
)
def test_models_are_found_by_what_they_can_do(
    stranger: Visitor, query: str, names: list[str]
) -> None:
    page = stranger.get(f"/models?{query}").text

    assert NAME.findall(page) == names
    offered = re.findall(r'<option value="([a-z_]+)"', page.partition('id="can"')[2])
    assert offered[:3] == ["vision", "function_calling", "prompt_caching"]
    if not names:
        assert "with “cach” in its name is said to do this: Vision" in page


def test_sorting_keeps_what_models_were_found_by(stranger: Visitor) -> None:
    assert 'href="/models?can=vision&amp;unit=paid&amp;sort=output"' in (
        stranger.get("/models?can=vision").text
    )
