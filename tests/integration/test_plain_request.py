"""Requests read quickly: whatever the bytes, gunicorn's own parser would have said the same."""

from __future__ import annotations

import io
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import anthropic
import openai
import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import IterUnreader
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.flask_web import plain_environ
from adapters.flask_web.plain_request import PlainParser, PlainRequest

LOCAL = ("127.0.0.1", 5555)
STRANGER = ("203.0.113.9", 5555)
SERVER = ("127.0.0.1", 8000)
UNIX = ""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


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


# -- the same as gunicorn's -------------------------------------------------------------

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
TRICKY_LINES = [
    "Host: gateway",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: +5",
    "Content-Length: 05",
    "Content-Length: 5, 5",
    "Content-Length: 0x5",
    "Content-Length: 5_0",
    "Content-Length: \xb2",
    "Content-Length: -1",
    "Content-Length:",
    "content-length : 5",
    "Content_Length: 5",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:\x0bchunked",
    "Transfer_Encoding: chunked",
    "Connection: close",
    "Connection: close, x",
    "Expect: 100-continue",
    "Expect: much",
    "Upgrade: h2c",
    "Trailer: x",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Ssl: on",
    "content-type: text/plain",
    "X_User: 1",
    "SCRIPT_NAME: /v1",
    "X-Nul: \x00",
    "X-Bell: \x07",
    "X-Delete: \x7f",
    "X-Next-Line: \x85",
    " folded",
    "\tfolded",
    "no colon",
    ": no name",
    "Na me: x",
    "N\xe4me: x",
    "(x): 1",
    "",
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
TRICKY_TARGETS = [
    "/a#b",
    "/a?b#c",
    "/#",
    "//host/a",
    "/a\x00b",
    "/\xe9",
    "/a b",
    "http://host/a?b",
    "host:443",
    "*",
    "",
]
PLAIN_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
TRICKY_METHODS = ["CONNECT", "PRI", "post", "M-SEARCH", "P\xd6ST", ""]
TRICKY_VERSIONS = ["HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "HTTP/11", "http/1.1", "HTTP/1.1 ", ""]
NASTY = [bytes([byte]) for byte in b"\r\n \t\0\x0b\x0c\x1f\x7f\x80\x85\xff:,;+-_#?/0159AZaz"]


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A plain request with a few flaws, or none."""
    method, target = draw(st.sampled_from(PLAIN_METHODS)), draw(st.sampled_from(PLAIN_TARGETS))
    version, end = "HTTP/1.1", "\r\n"
    body = draw(st.sampled_from([b"", b"Hi", b"0\r\n\r\n", raw()]))
    lines = draw(st.lists(st.sampled_from(PLAIN_LINES), max_size=4, unique=True))
    if body or draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
    flaws = draw(st.lists(st.sampled_from(["line", "start", "end", "byte", "byte"]), max_size=2))
    if "line" in flaws:
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(TRICKY_LINES)))
    if "start" in flaws:
        method = draw(st.sampled_from([method, *TRICKY_METHODS]))
        target = draw(st.sampled_from([target, *TRICKY_TARGETS]))
        version = draw(st.sampled_from([version, *TRICKY_VERSIONS]))
    if "end" in flaws:
        end = draw(st.sampled_from(["\n", "\r", "\r\r\n"]))
    head = end.join([f"{method} {target} {version}", "Host: gateway", *lines, "", ""])
    message = bytearray(head.encode("latin-1") + body)
    for _ in range(flaws.count("byte")):
        at = draw(st.integers(0, len(message)))
        message[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from([*NASTY, b""]))
    return bytes(message)


@given(
    st.lists(messages(), min_size=1, max_size=2),
    st.lists(st.integers(0, 300), max_size=1),
    st.sampled_from(CONFIGS),
    st.sampled_from([LOCAL, STRANGER, UNIX]),
    st.booleans(),
)
@settings(max_examples=500, deadline=None)
def test_any_bytes_mean_what_they_mean_to_gunicorn(
    sent: list[bytes], cuts: list[int], cfg: Any, peer: Any, read: bool
) -> None:
    data = b"".join(sent)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges) if start < end]

    same_as_gunicorn(pieces, cfg, peer, read=read)


@given(messages(), st.sampled_from([LOCAL, STRANGER]))
@settings(max_examples=300, deadline=None)
def test_what_is_plain_gets_the_environment_that_gunicorn_makes(data: bytes, peer: Any) -> None:
    if is_plain(data, peer=peer):
        ours, theirs = environments(data, peer)
        assert ours == theirs


def environments(data: bytes, peer: Any = LOCAL, server: Any = SERVER) -> list[dict[str, Any]]:
    made = []
    requests = read_first([data], peer=peer), Request(DEFAULT, IterUnreader([data]), peer)
    makers = plain_environ.create, plain_environ._gunicorns_create
    for request, create in zip(requests, makers, strict=True):
        _answer, environ = create(request, None, peer, server, DEFAULT)
        environ["wsgi.input"] = environ["wsgi.input"].read()
        assert callable(environ.pop("wsgi.early_hints"))
        assert environ.pop("wsgi.errors")
        made.append(environ)
    return made


# -- what is plain ----------------------------------------------------------------------


def listening(answer: bytes) -> tuple[str, list[bytes], threading.Thread]:
    """Answer one request, on a port of its own, and keep what has been received."""
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with listener, connection:
            data = b""
            while not data.endswith(b"}"):
                received.append(connection.recv(65536))
                data = b"".join(received)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", received, thread


def openai_call(url: str) -> None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-x", max_retries=0) as client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])


def anthropic_call(url: str) -> None:
    with anthropic.Anthropic(base_url=url, api_key="sk-x", max_retries=0) as client:
        client.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
        )


@pytest.fixture(scope="module", params=[openai_call, anthropic_call])
def sent_by_an_sdk(request: pytest.FixtureRequest) -> bytes:
    call: Callable[[str], None] = request.param
    url, received, thread = listening(ANSWER)
    call(url)
    thread.join()
    return b"".join(received)


def test_what_sdks_send_is_plain(sent_by_an_sdk: bytes) -> None:
    request = read_first([sent_by_an_sdk])

    assert isinstance(request, PlainRequest)
    assert isinstance(request.body, io.BytesIO)
    assert request.scheme == "http"
    same_as_gunicorn([sent_by_an_sdk])
    ours, theirs = environments(sent_by_an_sdk)
    assert ours == theirs


def test_what_sdks_send_is_plain_when_the_body_comes_later(sent_by_an_sdk: bytes) -> None:
    head, end, body = sent_by_an_sdk.partition(b"\r\n\r\n")
    pieces = [head + end, body[:5], body[5:] + sent_by_an_sdk]

    request = read_first(pieces)

    assert isinstance(request, PlainRequest)
    assert request.body.read() == body
    same_as_gunicorn(pieces)
    same_as_gunicorn(pieces, read=False)


@pytest.mark.parametrize("method", PLAIN_METHODS)
@pytest.mark.parametrize("target", PLAIN_TARGETS)
def test_whatever_is_usual_is_plain(method: str, target: str) -> None:
    data = raw(*PLAIN_LINES, "Content-Length: 2", start=f"{method} {target} HTTP/1.1", body=b"Hi")

    assert is_plain(data)
    same_as_gunicorn([data])
    ours, theirs = environments(data)
    assert ours == theirs


@pytest.mark.parametrize(
    ("peer", "scheme"), [(LOCAL, "https"), (UNIX, "https"), (STRANGER, "http")]
)
def test_a_reverse_proxy_says_how_its_client_came(
    sent_by_an_sdk: bytes, peer: Any, scheme: str
) -> None:
    added = b"\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
    data = sent_by_an_sdk.replace(b"\r\n", added, 1)

    request = read_first([data], peer=peer)

    assert isinstance(request, PlainRequest)
    assert request.scheme == scheme
    same_as_gunicorn([data], peer=peer)


def test_trust_in_one_host_is_not_trust_in_another() -> None:
    data = raw("X-Forwarded-Proto: https")
    trusting = config(forwarded_allow_ips="203.0.113.0/24")

    schemes = [
        read_first([data], cfg, peer).scheme
        for cfg in (DEFAULT, trusting)
        for peer in (LOCAL, STRANGER, LOCAL)
    ]

    assert schemes == ["https", "http", "https", "http", "https", "http"]


# -- what is left to gunicorn -------------------------------------------------------------

NOT_PLAIN = {
    "another request behind": raw("Content-Length: 2", body=b"HiGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a body without a length": raw(body=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "chunked": raw("Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked, as nobody writes it": raw("Transfer-Encoding: xchunked"),
    "chunked, and a length": raw(
        "Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n"
    ),
    "an expectation": raw("Expect: 100-continue"),
    "an upgrade": raw("Upgrade: h2c"),
    "trailers": raw("Trailer: x"),
    "two lengths": raw("Content-Length: 0", "Content-Length: 0"),
    "two lengths that differ": raw("Content-Length: 5", "content-length: 0", body=b"Hello"),
    "two hosts": raw("Host: elsewhere"),
    "two types": raw("Content-Type: a/b", "Content-Type: c/d"),
    "a length with a sign": raw("Content-Length: +2", body=b"Hi"),
    "a length with a zero before it": raw("Content-Length: 02", body=b"Hi"),
    "a list of lengths": raw("Content-Length: 2, 2", body=b"Hi"),
    "a length that is a superscript": raw("Content-Length: \xb2", body=b"Hi"),
    "an empty length": raw("Content-Length:"),
    "a length without end": raw(f"Content-Length: {'9' * 5000}"),
    "a length with a space before its colon": raw("Content-Length : 2", body=b"Hi"),
    "a space before the colon": raw("X-One : 1"),
    "a space before the first colon": b"GET / HTTP/1.1\r\nHost : gateway\r\n\r\n",
    "a name with an underscore": raw("X_Forwarded_For: 1"),
    "a name that is no token": raw("X(y): 1"),
    "no name": raw(": 1"),
    "a folded line": raw("X-Fold: 1", " 2"),
    "a nul": raw("X-Nul: a\0b"),
    "a delete": raw("X-Delete: a\x7f"),
    "a length behind a bare LF": raw("X-One: 1\nContent-Length: 2", body=b"Hi"),
    "a length behind a bare CR": raw("X-One: 1\rContent-Length: 2", body=b"Hi"),
    "a bare LF": raw("X-One: 1\nX-Two: 2"),
    "a bare CR": raw("X-One: 1\rX-Two: 2"),
    "a head that ends in bare LFs": b"GET / HTTP/1.1\nHost: x\n\n",
    "an empty line before": b"\r\n" + raw(),
    "no header": b"GET / HTTP/1.1\r\n\r\n",
    "half a head": raw("X-More: 1")[:-2],
    "the connection closes": raw("Connection: close"),
    "a connection header that names another": raw("Connection: keep-alive, x-user"),
    "two schemes": raw("X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"),
    "HTTP/1.0": raw(start="GET / HTTP/1.0"),
    "HTTP/1.2": raw(start="GET / HTTP/1.2"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a tunnel": raw(start="CONNECT /x HTTP/1.1"),
    "a method in small letters": raw(start="post / HTTP/1.1"),
    "a host in the target": raw(start="GET http://elsewhere/ HTTP/1.1"),
    "two slashes": raw(start="GET //elsewhere/ HTTP/1.1"),
    "a fragment": raw(start="GET /a#b HTTP/1.1"),
    "an asterisk": raw(start="OPTIONS * HTTP/1.1"),
    "a space in the target": raw(start="GET /a b HTTP/1.1"),
    "a letter beyond ASCII in the target": raw(start="GET /\xe9 HTTP/1.1"),
    "two spaces": raw(start="GET  / HTTP/1.1"),
    "a long line": raw(f"X-Long: {'x' * 8190}"),
    "a long target": raw(start=f"GET /{'x' * 4094} HTTP/1.1"),
    "many headers": raw(*(f"X-{n}: {n}" for n in range(100))),
}


@pytest.mark.parametrize("data", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_plain_is_left_to_gunicorn(data: bytes) -> None:
    assert not is_plain(data)
    for cfg in CONFIGS:
        same_as_gunicorn([data], cfg)
        same_as_gunicorn([data + raw()], cfg)
        same_as_gunicorn([data, raw()], cfg, read=False)


@pytest.mark.parametrize(
    "limit", ["limit_request_line", "limit_request_field_size", "limit_request_fields"]
)
def test_each_limit_holds(limit: str) -> None:
    data = raw("X-One: 1", "X-Two: 2", start=f"GET /{'x' * 30} HTTP/1.1")

    assert is_plain(data)
    assert not is_plain(data, config(**{limit: 2}))
    for most in range(60):
        same_as_gunicorn([data], config(**{limit: most}))


def test_no_setting_lets_a_line_be_longer_than_gunicorn_reads() -> None:
    wide = config(limit_request_line=0, limit_request_field_size=100_000)
    data = raw(start=f"GET /{'x' * 9000} HTTP/1.1")

    for cfg in (wide, config(limit_request_line=20_000, limit_request_field_size=20_000)):
        assert not is_plain(data, cfg)
        same_as_gunicorn([data], cfg)


def test_behind_the_proxy_protocol_the_client_is_whom_the_proxy_names() -> None:
    proxied = config(proxy_protocol="v1")
    pieces = [b"PROXY TCP4 198.51.100.7 127.0.0.1 40000 80\r\n" + raw(), raw()]

    assert not is_plain(raw(), proxied)
    same_as_gunicorn(pieces, proxied)


def test_tls_is_https() -> None:
    assert read_first([raw()], config(certfile="tls.pem")).scheme == "https"


# -- the environment ----------------------------------------------------------------------


def test_a_server_on_a_unix_socket_is_called_what_the_request_says() -> None:
    ours, theirs = environments(raw(), UNIX, "/run/gateway.sock")

    assert ours == theirs
    assert ours["SERVER_NAME"] == "gateway"


@pytest.fixture
def below_a_prefix(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SCRIPT_NAME", "/v1")
    plain_environ._constant.cache_clear()
    yield
    plain_environ._constant.cache_clear()


@pytest.mark.usefixtures("below_a_prefix")
def test_a_gateway_below_a_prefix_is_told_the_rest_of_the_path() -> None:
    ours, theirs = environments(raw())

    assert ours == theirs
    assert (ours["SCRIPT_NAME"], ours["PATH_INFO"]) == ("/v1", "/messages")


def test_environments_do_not_share_what_an_application_may_change() -> None:
    first, _ = environments(raw())
    first["SERVER_NAME"] = first["HTTP_X_LEFT"] = "changed"

    assert environments(raw())[0] == environments(raw())[1]


def test_errors_are_written_to_the_log_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = config(errorlog="gateway.log")
    _answer, environ = plain_environ.create(read_first([raw()]), None, LOCAL, SERVER, cfg)
    errors = environ["wsgi.errors"]
    reopened = io.StringIO()
    handlers = [logging.StreamHandler(reopened)]
    monkeypatch.setattr(logging.getLogger("gunicorn.error"), "handlers", handlers)

    print("one", file=errors, flush=True)
    errors.writelines(["two ", "three"])

    assert reopened.getvalue() == "one\ntwo three"


def test_early_hints_are_sent_before_the_answer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        request = read_first([raw()])
        _answer, environ = plain_environ.create(request, theirs, LOCAL, SERVER, DEFAULT)
        environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])

        assert ours.recv(100) == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
