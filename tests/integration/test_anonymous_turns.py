"""Visitors of one address wait for each other, and others do not wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import gevent
import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from gevent.event import Event
from werkzeug.test import run_wsgi_app

from adapters.flask_web.web.anonymous_turns import AT_ONCE, MAX_WAITING, AnonymousTurns

COOKIE = "creditcore_session"


class Site:
    """A site whose pages take until they are let go on."""

    def __init__(self, **options: float) -> None:
        app = Flask("test")
        app.config.update(SECRET_KEY="secret", SESSION_COOKIE_NAME=COOKIE)
        app.wsgi_app = self._serve  # type: ignore[method-assign, assignment]
        self._sessions = SecureCookieSessionInterface().get_signing_serializer(app)
        self.turns = AnonymousTurns(app, base_url="", **options)
        self.going_on = Event()
        self.at_work = 0
        self.statuses: list[str] = []

    def _serve(self, _environ: Any, start_response: Any) -> Iterable[bytes]:
        self.at_work += 1
        self.going_on.wait()
        self.at_work -= 1
        start_response("200 OK", [])
        return [b""]

    def cookie(self, **content: object) -> str:
        return f"{COOKIE}={self._sessions.dumps(content)}"

    def ask(self, address: str, *, path: str = "/", **headers: str) -> None:
        environ: Any = {"PATH_INFO": path, "REMOTE_ADDR": address, **headers}
        self.statuses.append(run_wsgi_app(self.turns, environ)[1])


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.going_on.set()


def settle() -> None:
    """Let every greenlet go as far as it gets."""
    for _ in range(5):
        gevent.idle()


def test_an_address_has_a_few_requests_worked_on_at_a_time_and_others_do_not_wait(
    site: Site,
) -> None:
    crowd = [gevent.spawn(site.ask, "192.0.2.1") for _ in range(3 * AT_ONCE)]
    settle()
    assert site.at_work == AT_ONCE

    other = gevent.spawn(site.ask, "192.0.2.2")
    settle()
    assert site.at_work == AT_ONCE + 1

    site.going_on.set()
    gevent.joinall([*crowd, other], raise_error=True)
    assert site.statuses == ["200 OK"] * (3 * AT_ONCE + 1)
    assert not site.turns._lines


def test_more_than_may_wait_are_refused_at_once(site: Site) -> None:
    crowd = [gevent.spawn(site.ask, "192.0.2.1") for _ in range(AT_ONCE + MAX_WAITING)]
    settle()

    site.ask("192.0.2.1")

    assert site.statuses == ["503 Service Unavailable"]
    site.going_on.set()
    gevent.joinall(crowd, raise_error=True)


def test_who_waits_for_too_long_is_refused() -> None:
    site = Site(longest_wait_s=0.01)
    crowd = [gevent.spawn(site.ask, "192.0.2.1") for _ in range(AT_ONCE)]
    settle()

    site.ask("192.0.2.1")

    assert site.statuses == ["503 Service Unavailable"]
    site.going_on.set()
    gevent.joinall(crowd, raise_error=True)


def test_neighbours_in_a_network_of_ipv6_take_turns(site: Site) -> None:
    crowd = [gevent.spawn(site.ask, f"2001:db8::{n}") for n in range(2 * AT_ONCE)]
    settle()

    assert site.at_work == AT_ONCE
    site.going_on.set()
    gevent.joinall(crowd, raise_error=True)


@pytest.mark.parametrize(
    ("waits", "asked"),
    [
        (True, {}),
        (True, {"HTTP_COOKIE": f"{COOKIE}=made.up"}),
        (True, {"HTTP_COOKIE": "visitor"}),
        (True, {"HTTP_AUTHORIZATION": "Bearer x"}),
        (False, {"HTTP_COOKIE": "person"}),
        (False, {"path": "/healthz"}),
        (False, {"path": "/payments/paystack"}),
        (False, {"path": "/api/v1/credits", "HTTP_AUTHORIZATION": "Bearer x"}),
    ],
)
def test_only_people_who_are_signed_in_and_machines_do_not_wait(
    site: Site, asked: dict[str, str], *, waits: bool
) -> None:
    cookies = {"visitor": site.cookie(csrf="x"), "person": site.cookie(_user_id="x")}
    headers = {**asked}
    if "HTTP_COOKIE" in headers:
        headers["HTTP_COOKIE"] = cookies.get(headers["HTTP_COOKIE"], headers["HTTP_COOKIE"])
    with ExitStack() as taken:
        for _ in range(AT_ONCE):
            taken.enter_context(site.turns.turn("192.0.2.1"))
        asking = gevent.spawn(site.ask, "192.0.2.1", **headers)
        settle()

        assert site.at_work == (0 if waits else 1)
    site.going_on.set()
    asking.get()
