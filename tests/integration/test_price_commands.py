"""Operators change prices by command, see what that changes before, and customers see it after."""

from __future__ import annotations

import json
from typing import Any

import pytest

from creditcore import ModelPrice
from creditcore.ports.model_gateway import Catalogue
from tests.integration.test_access_matrix import Site
from tests.integration.test_direct_mode import RATES


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("prices"))
    models = [ModelPrice(model=name, rates=RATES) for name in ("demo", "demo-large")]
    faults = {"dud": "its price x is not understood here"}
    site.services.calls.prices.catalogue.take(Catalogue(models, ["dud"], faults))
    return site


def run(site: Site, *words: str, answer: str = "") -> Any:
    return site.app.test_cli_runner().invoke(args=["prices", *words], input=answer)


def told(site: Site, *words: str) -> Any:
    found = run(site, *words, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


def test_a_change_is_shown_asked_for_and_made(site: Site) -> None:
    shown = run(site, "markup", "demo*", "--factor", "1.25", "--dry-run")
    refused = run(site, "markup", "demo*", "--factor", "1.25", answer="n\n")

    assert "demo-large: $1 in, $2 out -> $1 in, $2 out, times 1.25" in shown.output
    assert "Nothing was changed." in shown.output
    assert refused.exit_code == 1
    assert told(site, "rules") == []

    made = run(site, "markup", "demo*", "--factor", "1.25", "--reason", "Rent.", answer="y\n")
    assert "Done: rule " in made.output
    [rule] = told(site, "rules")
    assert (rule["factor"], rule["created_by"], rule["reason"]) == ("1.25", "command line", "Rent.")
    assert told(site, "end", rule["id"], "--yes")["done"]
    assert told(site, "rules") == []
    assert len(told(site, "rules", "--ended")) == 1


def test_an_override_is_in_the_list_on_the_page_and_in_the_history(site: Site) -> None:
    changed = told(
        site,
        *("override", "demo", "--input", "0.5", "--output", "3", "--yes", "--until", "2999-12-31"),
    )

    assert changed["changes"][0]["after"]["usd_per_million_tokens"]["output"] == "3"
    by_name = {price["model"]: price for price in told(site, "list")["sold"]}
    assert by_name["demo"]["usd_per_million_tokens"]["input"] == "0.5"
    assert told(site, "history", "demo")[0]["price"] == by_name["demo"]
    page = site.app.test_client().get("/models/demo").text
    assert "Price history" in page
    assert "$3" in page


@pytest.mark.parametrize(
    ("per", "price", "text"),
    [
        ("image", "0.04", "$0.04 per image, and $0 in, $0 out"),
        ("characters", "15", "$15 per million characters, and $0 in, $0 out"),
        ("minute", "0.006", "$0.006 per minute of sound, and $0 in, $0 out"),
        ("searches", "2", "$2 per thousand searches, and $0 in, $0 out"),
    ],
)
def test_a_price_by_something_else_is_shown_as_it_was_written(
    site: Site, per: str, price: str, text: str
) -> None:
    shown = run(site, "override", "dud", "--per", per, "--price", price, "--dry-run")

    assert f"dud: not sold -> {text}" in shown.output


def test_what_is_not_sold_is_listed_with_why(site: Site) -> None:
    told(site, "hide", "demo-large", "--yes")

    assert told(site, "list", "--unsold")["unsold"] == [
        {"model": "demo-large", "reason": "hidden"},
        {"model": "dud", "reason": "its price x is not understood here"},
    ]
    assert site.app.test_client().get("/models/demo-large").status_code == 404


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("override", "demo", "--input", "free", "--output", "1"), "--input is an amount"),
        (("override", "demo", "--input", "-1", "--output", "1"), "--input is an amount"),
        (("override", "demo", "--input", "1"), "Give --input and --output"),
        (("override", "demo", "--per", "image"), "belong together"),
        (("override", "demo", "--per", "image", "--price", "dear"), "--price is an amount"),
        (("hide", "demo", "--until", "soon"), "--until is a day"),
        (("hide", "demo", "--until", "1999-01-01"), "ends after it begins"),
        (("markup", "demo", "--factor", "0"), "above 0"),
        (("end", "rule-9"), "rule-9"),
        (("history", "never"), "never been sold"),
    ],
)
def test_what_means_nothing_is_refused(site: Site, words: tuple[str, ...], said: str) -> None:
    answer = run(site, *words)

    assert answer.exit_code == 1
    assert said in answer.output
