"""Requests read quickly, and the same ones read by gunicorn's own parser."""

from __future__ import annotations

from typing import Any

from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import IterUnreader

from adapters.flask_web.server import plain_environ
from adapters.flask_web.server.fast_path import PlainParser, PlainRequest

LOCAL = ("127.0.0.1", 5555)
STRANGER = ("203.0.113.9", 5555)
SERVER = ("127.0.0.1", 8000)
UNIX = ""


def config(**changes: Any) -> Config:
    made = Config()
    for name, value in changes.items():
        made.set(name, value)
    return made


DEFAULT = config()
CONFIGS = [
    DEFAULT,
    config(limit_request_line=40, limit_request_fields=3),
    config(limit_request_field_size=40),
    config(limit_request_line=0, limit_request_field_size=0, limit_request_fields=0),
    config(limit_request_line=20_000, limit_request_field_size=20_000),
    config(permit_obsolete_folding=True, strip_header_spaces=True, casefold_http_method=True),
    config(permit_unconventional_http_method=True, permit_unconventional_http_version=True),
    config(header_map="dangerous", forwarder_headers="X-USER,SCRIPT_NAME"),
    config(forwarded_allow_ips="203.0.113.0/24", secure_scheme_headers={"X-TLS": "1"}),
    config(forwarded_allow_ips="*"),
    config(proxy_protocol="auto"),
    config(certfile="tls.pem"),
]


def said_of(request: Any, *, read: bool) -> dict[str, Any]:
    """Everything that is asked of a request, by gunicorn or by us."""
    return {
        "body": request.body.read() if read else None,
        "close": request.should_close(),
        "continue": request._expected_100_continue,
        **{
            name: getattr(request, name)
            for name in (
                "method",
                "uri",
                "path",
                "query",
                "fragment",
                "version",
                "headers",
                "trailers",
                "scheme",
                "must_close",
                "proxy_protocol_info",
                "remote_addr",
                "peer_addr",
                "req_number",
            )
        },
    }


def conversation(
    parser_class: type[RequestParser], cfg: Any, pieces: list[bytes], peer: Any, *, read: bool
) -> list[Any]:
    """What a parser makes of a connection: its requests, and how it ended."""
    seen: list[Any] = []
    parser = parser_class(cfg, iter(pieces), peer)
    try:
        seen.extend(said_of(request, read=read) for request in parser)
    except Exception as error:  # noqa: BLE001 - whichever it is, it has to be the same
        seen.append(type(error))
    return seen


def same_as_gunicorn(
    pieces: list[bytes], cfg: Any = DEFAULT, peer: Any = LOCAL, *, read: bool = True
) -> None:
    ours = conversation(PlainParser, cfg, pieces, peer, read=read)
    assert ours == conversation(RequestParser, cfg, pieces, peer, read=read)


def read_first(pieces: list[bytes], cfg: Any = DEFAULT, peer: Any = LOCAL) -> Any:
    return PlainParser.mesg_class(cfg, IterUnreader(pieces), peer)


def is_plain(data: bytes, cfg: Any = DEFAULT, peer: Any = LOCAL) -> bool:
    try:
        return isinstance(read_first([data], cfg, peer), PlainRequest)
    except Exception:  # noqa: BLE001 - gunicorn has refused it
        return False


def raw(*lines: str, start: str = "POST /v1/messages HTTP/1.1", body: bytes = b"") -> bytes:
    return "\r\n".join([start, "Host: gateway", *lines, "", ""]).encode("latin-1") + body


def environments(data: bytes, peer: Any = LOCAL, server: Any = SERVER) -> list[dict[str, Any]]:
    made = []
    for create, request in (
        (plain_environ.create, read_first([data], peer=peer)),
        (plain_environ._gunicorns_create, Request(DEFAULT, IterUnreader([data]), peer)),
    ):
        _answer, environ = create(request, None, peer, server, DEFAULT)
        environ["wsgi.input"] = environ["wsgi.input"].read()
        assert callable(environ.pop("wsgi.early_hints"))
        assert environ.pop("wsgi.errors")
        made.append(environ)
    return made


PLAIN_LINES = [
    "Content-Type: application/json",
    "Connection: Keep-Alive",
    "X-Forwarded-Proto: https",
    "X-Forwarded-For: 198.51.100.7",
    "X-TLS: 1",
    "X-User: 1",
    "Accept: */*",
    "x-empty:",
    "X-Spaces: \t a  b \t ",
    "X-High:\x80\xff",
    "X-Edges: \x85a\xa0",
    "!#$%&'*+-.^`|~09: (),/:;<=>?@[]{}\"\\",
]
PLAIN_TARGETS = [
    "/",
    "/v1/messages",
    "/?",
    "/a?b?c=/%2f",
    "/a//b",
    "/%41%zz",
    "/http://host:1/",
    "/[x]:y;z",
]
PLAIN_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
