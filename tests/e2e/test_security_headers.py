"""What every answer tells the browser."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest

from tests.stack import Stack, running_stack
from tests.visitors import PASSWORD, TOKEN, Visitor, cookies_set_by

WEBHOOK = "/payments/paystack"

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


@pytest.fixture(scope="module")
def https_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway behind a proxy that speaks HTTPS."""
    data_dir = tmp_path_factory.mktemp("https-stack")
    with running_stack("", data_dir, BASE_URL="https://credits.example") as stack:
        yield stack


def cookies_of_a_newcomer(stack: Stack) -> SimpleCookie:
    with Visitor(stack) as visitor:
        page = visitor.get("/sign-up")
        before, token = cookies_set_by(page), TOKEN.search(page.text)
        assert token
        form = {"csrf_token": token[1], "email": visitor.email, "password": PASSWORD}
        # By hand: a browser would keep some from a gateway that is asked over plain http.
        kept = "; ".join(f"{name}={cookie.value}" for name, cookie in before.items())
        answer = visitor.send("POST", "/sign-up", data=form, headers={"cookie": kept})
    return cookies_set_by(answer)


def test_cookies_are_kept_from_scripts_and_other_sites(sqlite_stack: Stack) -> None:
    cookies = cookies_of_a_newcomer(sqlite_stack)

    assert set(cookies) == {"creditcore_session", "creditcore_device"}
    for cookie in cookies.values():
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]
        assert not cookie["secure"]


def test_under_https_cookies_travel_by_https_only(https_stack: Stack) -> None:
    cookies = cookies_of_a_newcomer(https_stack)

    session = cookies["__Host-creditcore_session"]
    assert (session["path"], session["domain"]) == ("/", "")
    assert set(cookies) == {"__Host-creditcore_session", "creditcore_device"}
    for cookie in cookies.values():
        assert cookie["secure"] is True
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_under_https_browsers_are_told_to_stay_there(https_stack: Stack) -> None:
    with Visitor(https_stack) as visitor:
        answers = [visitor.get(path) for path in ("/", "/nothing-here", "/healthz")]

    for answer in answers:
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/pricing", 200),
        ("GET", "/sign-in", 200),
        ("GET", "/sign-up", 200),
        ("GET", "/dashboard", 302),
        ("POST", "/sign-in", 400),
        ("GET", "/api/v1/credits", 401),
        ("POST", WEBHOOK, 401),
        ("GET", "/nothing-here", 404),
        ("GET", "/static/nothing-here.css", 404),
        ("DELETE", "/", 405),
        ("GET", "/healthz", 200),
    ],
)
def test_every_answer_carries_the_security_headers(
    visitor: Visitor, method: str, path: str, status: int
) -> None:
    answer = visitor.send(method, path)

    policy = answer.headers["content-security-policy"]
    expected = dict(SECURITY_HEADERS)
    if path.startswith("/static/"):
        expected.pop("cache-control")
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-request-id"].startswith("req-")
