"""What passes the streaming API on its way to the site."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from adapters.flask_web.proxy import Proxy


class NeverRead:
    """Servers may hand over the connection itself, on which nothing more will come."""

    def read(self, _size: int) -> bytes:
        raise AssertionError("it would be waited for")


def test_a_request_without_a_body_is_not_waited_for() -> None:
    settings: Any = SimpleNamespace(base_url="", tariff=None, max_streams=1)
    services: Any = None
    proxy = Proxy(services, settings, site=lambda _environ, _start: [b"the site"])

    for path in ("/", "/sign-in"):
        environ: Any = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.input": NeverRead()}
        assert proxy(environ, lambda *_: None) == [b"the site"]  # type: ignore[arg-type, return-value]
