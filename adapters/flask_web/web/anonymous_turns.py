"""Visitors who have not signed in take turns by their address, so that one cannot stop the rest.

A page costs a few milliseconds, in which the process does nothing else, and a password a tenth of
a second in a queue that all share. Of one address, a few such requests are worked on at a time;
between two of them everybody else has a turn. Those who are signed in do not wait here.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from gevent.lock import BoundedSemaphore
from itsdangerous import BadSignature
from werkzeug.http import parse_cookie

from adapters.flask_web.web.errors import refusal_of
from adapters.flask_web.web.throttle import counted_address
from adapters.flask_web.web.turns import give_way
from creditcore.domain.errors import OverloadedError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AT_ONCE = 4
"""Anonymous requests of an address that are worked on at a time."""

MAX_WAITING = 64
"""More that wait for a turn: more than the browsers of an office ask for at once."""

MAX_WAIT_S = 10.0

# Those who watch over the process, and Paystack, whose requests are signed.
_EXEMPT = ("/healthz", "/readyz", "/metrics", "/payments/", "/functions/")
_PROGRAMS = "/api/"
_COOKIES_REMEMBERED = 4096
_FULL = "Too many requests come from your network at once. Try again in a moment."


class AnonymousTurns:
    """Stands before the site; knows people by their signed cookie, without asking the database."""

    def __init__(self, app: Flask, *, base_url: str, longest_wait_s: float = MAX_WAIT_S) -> None:
        """Wrap what serves an application now."""
        self._site: WSGIApplication = app.wsgi_app
        self._base_url = base_url
        self._longest_wait_s = longest_wait_s
        self._lines: dict[str, _Line] = {}
        self._cookie = app.config["SESSION_COOKIE_NAME"]
        signed = SecureCookieSessionInterface().get_signing_serializer(app)

        @functools.lru_cache(maxsize=_COOKIES_REMEMBERED)
        def names_person(cookie: str) -> bool:
            try:
                return signed is not None and "_user_id" in signed.loads(cookie)
            except BadSignature:
                return False

        self._names_person = names_person

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request in its turn."""
        if not self._is_anonymous(environ):
            return self._site(environ, start_response)
        try:
            with self.turn(environ.get("REMOTE_ADDR", "")):
                return self._site(environ, start_response)
        except OverloadedError as error:
            answer = refusal_of(error, base_url=self._base_url)
            body = orjson.dumps(answer.body)
            length = ("content-length", str(len(body)))
            headers = [("content-type", "application/json"), length, *answer.headers]
            start_response(f"{answer.status} Service Unavailable", headers)
            return [body]

    @contextmanager
    def turn(self, address: str) -> Iterator[None]:
        """Wait for a turn of an address, and keep it until the block ends.

        Raises:
            OverloadedError: Too many wait already, or it took too long.
        """
        name = counted_address(address)
        line = self._lines.setdefault(name, _Line())
        if line.count >= AT_ONCE + MAX_WAITING:
            raise OverloadedError(_FULL)
        line.count += 1
        try:
            if not line.places.acquire(timeout=self._longest_wait_s):
                raise OverloadedError(_FULL)
            try:
                give_way()
                yield
            finally:
                line.places.release()
        finally:
            line.count -= 1
            if not line.count:
                del self._lines[name]

    def _is_anonymous(self, environ: WSGIEnvironment) -> bool:
        path = environ.get("PATH_INFO", "")
        if path.startswith(_EXEMPT):
            return False
        if path.startswith(_PROGRAMS) and "HTTP_AUTHORIZATION" in environ:
            # Its key is looked at before anything else.
            return False
        cookie = parse_cookie(environ.get("HTTP_COOKIE")).get(self._cookie)
        return cookie is None or not self._names_person(cookie)


class _Line:
    """The requests of one address."""

    __slots__ = ("count", "places")

    def __init__(self) -> None:
        self.count = 0
        self.places = BoundedSemaphore(AT_ONCE)
