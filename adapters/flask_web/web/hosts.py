"""Under which names the site answers.

Pages answer under the name of ``BASE_URL`` alone: what a page says of its own address, and what
a browser keeps for it, is then never of a name that a stranger chose. What programs ask for
answers under any name, since probes and services of the same network have names of their own;
but no request may have a name that cannot be one (RFC 9112, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from werkzeug.sansio.utils import host_is_trusted

from adapters.flask_web.settings import Settings
from adapters.flask_web.web.errors import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_OF_PROGRAMS = ("/v1", "/api/", "/healthz", "/readyz", "/metrics")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


# A site answers under few names, and each request has one.
_is_name = lru_cache(maxsize=64)(host_is_trusted)


class KnownHosts:
    """Refuses what names no host, or asks for a page of another one."""

    def __init__(self, settings: Settings, *, site: WSGIApplication) -> None:
        self._site = site
        self._base_url = settings.base_url
        own = (urlsplit(settings.base_url).hostname or "").encode("idna").decode()
        # A developer has no name for the site but this machine's.
        self._names = {own} | (_LOOPBACK if settings.app_env == "development" else frozenset())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        host = environ.get("HTTP_HOST")
        of_programs = environ.get("PATH_INFO", "").startswith(_OF_PROGRAMS)
        if host is None:
            if of_programs and environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
                return self._site(environ, start_response)
            return self._refuse("The request names no host. Send one Host header.", start_response)
        if not _is_name(host):
            message = "The Host header is no name of a host, with a port or without."
            return self._refuse(message, start_response)
        if not of_programs and urlsplit(f"//{host}").hostname not in self._names:
            message = (
                f"This site is {self._base_url} and answers under no other name. A proxy before it"
                " has to pass the Host header on; docs/operating.md shows how."
            )
            return self._refuse(message, start_response)
        return self._site(environ, start_response)

    def _refuse(self, message: str, start_response: StartResponse) -> Iterable[bytes]:
        status = HTTPStatus.BAD_REQUEST
        body = orjson.dumps(refusal(status, message, code="unknown_host").body)
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]
