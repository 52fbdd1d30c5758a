"""The environment of a plain request, without making anew what is the same for all of them.

gunicorn makes each from nothing: it asks the operating system for ``SCRIPT_NAME``, looks for
headers that come twice and for escapes in the path, and decides what the server is called.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

from adapters.flask_web.server.fast_path import PlainRequest

_NAMES_REMEMBERED = 512
_SERVERS_REMEMBERED = 16

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
    path = req.path
    environ = {
        **constant,
        "wsgi.input": req.body,
        "wsgi.url_scheme": req.scheme,
        "wsgi.early_hints": wsgi._make_early_hints_callback(req, sock, answer),  # noqa: SLF001
        "gunicorn.socket": sock,
        "REQUEST_METHOD": req.method,
        "QUERY_STRING": req.query,
        "RAW_URI": req.uri,
        "PATH_INFO": util.unquote_to_wsgi_str(path) if "%" in path else path,
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
    }
    # No header of a plain request came twice, and none has "_" in its name.
    for name, value in req.headers:
        environ[_key(name)] = value
    return answer, environ


@functools.lru_cache(maxsize=_SERVERS_REMEMBERED)
def _constant(cfg: Any, server: Any) -> _Environ | None:
    """Return what is the same for all plain requests, unless that depends on the request."""
    # Below a prefix each path has to be looked at; behind a Unix socket the server is called
    # what the request says, and its client has no address.
    if os.environ.get("SCRIPT_NAME") or not isinstance(server, tuple):
        return None
    return {
        **wsgi.base_environ(cfg),
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
    return key if name in ("CONTENT-TYPE", "CONTENT-LENGTH") else f"HTTP_{key}"
