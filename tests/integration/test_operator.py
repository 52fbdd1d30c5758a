"""Whose site it is stands where people look for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.test_access_matrix import Site

OPERATOR = {
    "SITE_NAME": "Jua <AI>",
    "SITE_LOGO": "https://cdn.jua.example/logo.svg",
    "SUPPORT_EMAIL": "help@jua.example",
    "SUPPORT_URL": "https://jua.example/help",
    "TERMS_URL": "https://jua.example/terms",
    "PRIVACY_URL": "/privacy-of-jua",
    "COMPANY_NAME": "Jua Ltd",
    "COMPANY_ADDRESS": "12 Moi Avenue, Nairobi",
    "TAX_NUMBER": "P051234567X",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("named"), **OPERATOR)


def test_public_pages_say_who_sells_and_how_to_reach_them(named: Site) -> None:
    answer = named.app.test_client().get("/pricing")

    assert "<title>Pricing: Jua &lt;AI&gt;</title>" in answer.text
    assert "<span>Jua &lt;AI&gt;</span>" in answer.text
    assert 'src="https://cdn.jua.example/logo.svg"' in answer.text
    assert (
        "img-src 'self' data: https://cdn.jua.example;" in answer.headers["Content-Security-Policy"]
    )
    named_values = set(OPERATOR) - {"SITE_NAME"}
    assert [name for name in named_values if OPERATOR[name] not in answer.text] == []
    assert "creditcore" not in answer.text.partition("<footer")[2]


def test_a_person_who_signs_up_sees_what_they_agree_to(named: Site) -> None:
    page = named.app.test_client().get("/sign-up").text

    assert 'agree to the <a href="https://jua.example/terms">terms</a> and the <a' in page


def test_a_printed_receipt_names_the_company(named: Site) -> None:
    owner = named.visitor()

    page = owner.client.get(f"/dashboard/calls/{owner.names['call_id']}").text

    head = page.partition("print-head")[2].partition("</p>")[0]
    assert "Jua Ltd, 12 Moi Avenue, Nairobi. Tax number P051234567X" in head


def test_an_error_page_names_the_site_too(named: Site) -> None:
    assert "Jua &lt;AI&gt;" in named.app.test_client().get("/nowhere").text


def test_a_site_that_says_nothing_shows_nothing_empty(tmp_path: Path) -> None:
    page = Site(tmp_path).app.test_client().get("/sign-up").text

    assert "agree to" not in page
    assert "Tax number" not in page
    assert "mailto:" not in page


def test_customers_see_what_works(named: Site) -> None:
    page = named.app.test_client().get("/status").text

    assert "Everything works" in page
    assert "Calling models" in page
