"""The environment of a plain request, without what is the same for all of them.

gunicorn makes each environment anew: it looks up loggers for errors that hardly anybody writes,
asks the operating system for ``SCRIPT_NAME``, and decides what the server is called.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

from adapters.flask_web.plain_request import PlainRequest

_NAMES_REMEMBERED = 512
_Environ = dict[str, Any]
_gunicorns_create = wsgi.create


def create(
    req: Any, sock: Any, client: Any, server: Any, cfg: Any, **protocol: Any
) -> tuple[Any, _Environ]:
    """Make the answer and the environment of a request, as ``gunicorn.http.wsgi.create`` does."""
    constant = _constant(cfg, server) if isinstance(req, PlainRequest) else None
    if constant is None:
        made: tuple[Any, _Environ] = _gunicorns_create(req, sock, client, server, cfg, **protocol)
        return made
    answer = wsgi.Response(req, sock, cfg)
    return answer, {
        **constant,
        **{_key(name): value for name, value in req.headers},
        "wsgi.input": req.body,
        "wsgi.url_scheme": req.scheme,
        "wsgi.early_hints": wsgi._make_early_hints_callback(req, sock, answer),  # noqa: SLF001
        "gunicorn.socket": sock,
        "REQUEST_METHOD": req.method,
        "QUERY_STRING": req.query,
        "RAW_URI": req.uri,
        "PATH_INFO": util.unquote_to_wsgi_str(req.path) if "%" in req.path else req.path,
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
    }


class Errors:
    """Where an application writes errors: gunicorn's log, as it is when something is written."""

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg

    def write(self, text: str) -> None:
        """Write a text; gunicorn flushes it."""
        wsgi.WSGIErrorsWrapper(self._cfg).write(text)

    def writelines(self, texts: Iterable[str]) -> None:
        """Write texts."""
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        """Do nothing: all that was written has been flushed."""


@functools.lru_cache(maxsize=16)
def _constant(cfg: Any, server: Any) -> _Environ | None:
    """Return what is the same for all plain requests, unless that depends on the request."""
    # Below a prefix each path has to be looked at; behind a Unix socket the server is called
    # what the request says.
    if os.environ.get("SCRIPT_NAME") or not isinstance(server, tuple):
        return None
    return {
        **wsgi.base_environ(cfg),
        "wsgi.errors": Errors(cfg),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SCRIPT_NAME": "",
    }


# The names come from clients: only so many are remembered.
@functools.lru_cache(maxsize=_NAMES_REMEMBERED)
def _key(name: str) -> str:
    # These two have no "HTTP_" before them, by PEP 3333.
    key = name.replace("-", "_")
    return key if name in {"CONTENT-TYPE", "CONTENT-LENGTH"} else f"HTTP_{key}"
