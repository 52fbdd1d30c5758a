"""Signing in leads to a page of ours, also where another is asked for."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest

from tests.visitors import PASSWORD, Visitor
from tests.web.site import Site

TRICKS = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "https://evil.example",
    "https:/evil.example",
    "https:evil.example",
    "HTTPS://evil.example/dashboard",
    "//evil.example\\@127.0.0.1/",
    "//user@evil.example",
    "//[evil.example",
    "http://[",
    "//evil\u2100example",
    "javascript:alert(1)",
    "data:text/html,evil",
    " //evil.example",
    "evil.example",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_signing_in_never_leads_away(member: Visitor, trick: str) -> None:
    member.post("/sign-out", {})

    form = member.get("/sign-in", params={"next": trick})
    answer = member.sign_in(next=trick)
    again = member.get("/sign-in", params={"next": trick})

    assert 'name="next" value=""' in form.text
    assert answer.headers["location"] == "/dashboard"
    assert again.headers["location"] == "/dashboard"


@pytest.mark.parametrize("trick", TRICKS)
def test_signing_up_never_leads_away(site: Site, trick: str) -> None:
    with Visitor(site) as visitor:
        form = {"email": visitor.email, "password": PASSWORD, "next": trick}
        answer = visitor.post("/sign-up", form)

    assert answer.headers["location"] == "/dashboard"


@pytest.mark.parametrize("place", ["/dashboard/billing?reference=x", "/..//evil.example", "/%2F/x"])
def test_wherever_else_signing_in_leads_is_here(member: Visitor, place: str) -> None:
    member.post("/sign-out", {})

    location = member.sign_in(next=place).headers["location"]

    here = member.stack.base_url
    assert urlsplit(urljoin(here, location)).netloc == urlsplit(here).netloc
