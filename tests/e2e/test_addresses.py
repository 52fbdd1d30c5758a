"""Addresses that people mistype, and those that browsers and robots ask for unasked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import pytest

from tests.stack import PATIENCE_S, Stack
from tests.visitors import Visitor, routes

PAGES = ["/pricing", "/docs/billing", "/sign-in", "/sign-up", "/dashboard", "/dashboard/billing"]
PRIVATE = ["/dashboard", "/dashboard/calls/call-1", "/api/v1/credits", "/v1/models", "/payments/x"]


def ask(stack: Stack, path: str, *, method: str = "GET") -> tuple[int, Mapping[str, str]]:
    """Ask for exactly this path, which other clients tidy up; return status and headers."""
    address = urlsplit(stack.base_url)
    with closing(HTTPConnection(address.netloc, timeout=PATIENCE_S)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_slash_too_many_leads_to_the_page(sqlite_stack: Stack, method: str, path: str) -> None:
    status, headers = ask(sqlite_stack, f"{path}/", method=method)

    assert status == 308
    assert headers["location"] == path
    assert headers["x-content-type-options"] == "nosniff"


def test_what_was_asked_for_goes_along(sqlite_stack: Stack) -> None:
    query = "next=%2Fdashboard%2Fkeys&x=%0D%0Ax:y"

    _, headers = ask(sqlite_stack, f"/sign-in/?{query}")

    assert headers["location"] == f"/sign-in?{query}"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "///evil.example/",
        "//evil.example//",
        "/%2fevil.example/",
        "/%5cevil.example/",
        "/\\evil.example/",
        "//evil.example/pricing/",
        "//evil.example/../pricing/",
        "/pricing/..//evil.example/",
        "//evil.example/dashboard/calls/x/",
        "/dashboard/calls//evil.example/",
        "/dashboard/calls/..%2f",
        "/dashboard/calls/%0d%0alocation:%20x/",
        "//pricing/",
        "https://evil.example/",
        "https://evil.example/pricing/",
        "/.//evil.example/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_address_leads_away(sqlite_stack: Stack, method: str, path: str) -> None:
    status, headers = ask(sqlite_stack, path, method=method)

    here = urlsplit(sqlite_stack.base_url).netloc
    location = urljoin(sqlite_stack.base_url, headers.get("location", "/"))
    assert urlsplit(location).netloc == here
    assert "\\" not in location
    # Another host, which such a target names, is refused.
    assert status in ({400} if path.startswith("https:") else {200, 302, 308, 404})


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/",
        "/api/v1/credits/",
        "/api/checkout/quote/",
        "/payments/paystack/",
        "/healthz/",
        "/nothing-here/",
    ],
)
def test_only_pages_are_redirected(sqlite_stack: Stack, path: str) -> None:
    status, headers = ask(sqlite_stack, path)

    assert "location" not in headers
    assert status in (401, 404)


def test_a_form_is_never_redirected(visitor: Visitor) -> None:
    answer = visitor.post("/sign-in/", {"email": "x", "password": "y"})

    assert answer.status_code == 404


# -- what is asked for unasked -----------------------------------------------------------------


def test_browsers_find_an_icon(visitor: Visitor) -> None:
    answer = visitor.get("/favicon.ico")

    assert answer.status_code == 200
    assert answer.headers["content-type"] in ("image/x-icon", "image/vnd.microsoft.icon")
    assert answer.content.startswith(b"\x00\x00\x01\x00")
    assert "max-age=86400" in answer.headers["cache-control"]


def test_robots_may_read_what_all_may(visitor: Visitor) -> None:
    answer = visitor.get("/robots.txt")

    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    assert answer.headers["content-type"].startswith("text/plain")
    for page in ("/", "/pricing", "/docs/billing", "/sign-up", "/static/css/base.css"):
        assert rules.can_fetch("any", page), page
    for page in PRIVATE:
        assert not rules.can_fetch("any", page), page


def test_robots_may_read_nothing_that_is_private(sqlite_stack: Stack) -> None:
    with Visitor(sqlite_stack) as visitor:
        rules = RobotFileParser()
        rules.parse(visitor.get("/robots.txt").text.splitlines())
        readable = [
            rule
            for method, rule in routes(sqlite_stack)
            if method == "GET" and "<" not in rule and rules.can_fetch("any", rule)
        ]

        answers = {rule: visitor.get(rule) for rule in readable}

    asked_to_sign_in = {
        rule
        for rule, answer in answers.items()
        if answer.headers.get("location", "").startswith("/sign-in")
    }
    assert asked_to_sign_in == set()
