"""What is read quickly, and what is left to gunicorn."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from adapters.flask_web.server.fast_path import PlainRequest
from tests.integration.plain_request.parsing import (
    CONFIGS,
    DEFAULT,
    LOCAL,
    PLAIN_LINES,
    PLAIN_METHODS,
    PLAIN_TARGETS,
    STRANGER,
    UNIX,
    config,
    environments,
    is_plain,
    raw,
    read_first,
    same_as_gunicorn,
)

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


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
