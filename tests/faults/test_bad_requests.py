"""What cannot be served is refused with a reason: nothing is held, nothing is sent upstream."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator

import pytest

from creditcore import Credits, KeySecret
from tests.faults.wire import (
    PATH,
    Seen,
    call_on,
    chat_body,
    connect,
    raw_connection,
    read_to_the_end,
    read_until,
    request_bytes,
)
from tests.stack import Account, Stack

UNKNOWN_KEY = KeySecret.generate(lambda _alphabet: "A").text
MEGABYTE = 1024 * 1024
HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest) -> tuple[Stack, Account]:
    """A gateway, and one account whose credits no refused request may touch."""
    stack: Stack = request.getfixturevalue(f"{request.param}_stack")
    return stack, stack.an_account(credits_="200")


@pytest.fixture
def stack(served: tuple[Stack, Account]) -> Iterator[Stack]:
    """The gateway; in the end nothing was held, charged, or sent upstream."""
    stack, account = served
    before = stack.upstream(summary=1)["total"]
    yield stack
    assert stack.upstream(summary=1)["total"] == before
    assert stack.calls_of(account) == []
    wallet = stack.wallet_of(account.person_id)
    assert (wallet.posted, wallet.held) == (Credits.of(200), Credits(0))


@pytest.fixture
def account(served: tuple[Stack, Account]) -> Account:
    return served[1]


def post(stack: Stack, account: Account, body: bytes) -> Seen:
    connection = connect(stack.base_url)
    try:
        return call_on(connection, body, key=account.api_key)
    finally:
        connection.close()


def parse(answer: bytes) -> Seen:
    """Read the first answer in some bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    if "content-length" in headers:
        body = body[: int(headers["content-length"])]
    return Seen(int(status_line.split()[1]), headers, body)


def exchange(stack: Stack, data: bytes, *, half_close: bool = True) -> Seen:
    """Send bytes as they are, say that no more will come, and read the first answer."""
    with raw_connection(stack.base_url) as sock:
        try:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            # It was refused before it was read.
            pass
        return parse(read_to_the_end(sock))


def expect_refusal(seen: Seen, status: int, *, code: str | None = None, word: str = "") -> None:
    """Assert a refusal of ours: the OpenAI shape, a number to ask support about, a reason."""
    assert seen.status == status, seen
    assert set(seen.error) == {"message", "type", "param", "code"}
    assert seen.error["type"]
    assert len(seen.error["message"]) > 10
    assert word in f"{seen.error['message']} {seen.error['param']}"
    assert seen.headers["x-request-id"]
    assert seen.is_discreet(beside=word)
    if code is not None:
        assert seen.error["code"] == code


def fields(**given: object) -> bytes:
    return json.dumps({"model": "demo-chat", "messages": HI, **given}).encode()


# -- the model and the key --------------------------------------------------------------


@pytest.mark.parametrize(
    "model", ["demo-unpriced", "unheard-of", "DEMO-CHAT", " demo-chat", "openai/demo-chat", "*"]
)
def test_what_has_no_price_is_not_served(stack: Stack, account: Account, model: str) -> None:
    expect_refusal(
        post(stack, account, fields(model=model)), 404, code="model_not_found", word=model
    )


@pytest.mark.parametrize("model", [None, "", 7, ["demo-chat"], {"a": 1}, "x" * 201, "a\x00b", "\n"])
def test_a_model_is_a_name(stack: Stack, account: Account, model: object) -> None:
    expect_refusal(post(stack, account, fields(model=model)), 400, word="model")


@pytest.mark.parametrize(
    ("authorization", "word"),
    [
        (None, "missing"),
        ("", "missing"),
        (f"Bearer {UNKNOWN_KEY}", "unknown"),
        (f"Bearer {UNKNOWN_KEY[:-1]}Z", "malformed"),
        ("Bearer sk-cc-", "malformed"),
        ("Bearer sk-wrong", "malformed"),
        ("Bearer", "malformed"),
        ("Bearer  ", "malformed"),
        (f"Bearer {'x' * 8000}", "malformed"),
        ("Basic dXNlcjpwYXNz", "malformed"),
        (f"Basic {UNKNOWN_KEY}", "malformed"),
        (UNKNOWN_KEY, "malformed"),
        (f"Bearer {UNKNOWN_KEY},Bearer {UNKNOWN_KEY}", "malformed"),
        (f"Bearer Bearer {UNKNOWN_KEY}", "malformed"),
        ("Bearer sk-cc-\xe4\xf6\xfc", "malformed"),
        ("Bearer ' OR 1=1 --", "malformed"),
    ],
)
def test_a_key_that_opens_nothing_is_refused(
    stack: Stack, authorization: str | None, word: str
) -> None:
    lines = [f"POST {PATH} HTTP/1.1", "Host: gateway", f"Content-Length: {len(fields())}"]
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")

    seen = exchange(stack, head + fields())

    expect_refusal(seen, 401, code="invalid_api_key", word=word)
    assert "sk-cc-" in seen.error["message"]
    assert UNKNOWN_KEY not in seen.error["message"]


@pytest.mark.parametrize("second", ["same", "other"])
def test_two_keys_are_no_key(stack: Stack, account: Account, second: str) -> None:
    key = account.api_key if second == "same" else UNKNOWN_KEY
    data = request_bytes(fields(), key=account.api_key, headers=(f"Authorization: Bearer {key}",))

    expect_refusal(exchange(stack, data), 401, code="invalid_api_key")


def test_a_key_elsewhere_than_in_its_header_is_no_key(stack: Stack, account: Account) -> None:
    data = request_bytes(
        fields(),
        key="",
        path=f"{PATH}?api_key={account.api_key}",
        headers=(f"X-Api-Key: {account.api_key}", f"Cookie: key={account.api_key}"),
    )

    expect_refusal(exchange(stack, data), 401, code="invalid_api_key")


# -- the body ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"true",
        b"model=demo-chat",
        fields() + b"}",
        fields() + fields(),
        b"\xef\xbb\xbf" + fields(),
        b"\xff\xfe" + fields(),
        fields()[:-1] + b',"user":"\xc3\x28"}',
        fields()[:-1] + b',"user":"\xed\xa0\x80"}',
        fields()[:-1] + b',"user":"\\ud800"}',
        fields()[:-1] + b',"temperature":NaN}',
        fields()[:-1] + b',"temperature":Infinity}',
        fields()[:-1] + b',"temperature":-Infinity}',
        fields()[:-1] + b',"temperature":0x10}',
        fields()[:-1] + b',"n":1,}',
        fields()[:-1] + b',"user":"\x00"}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        fields()[:-1] + b',"response_format":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        fields()[:-1] + b',"response_format":' + b'{"a":' * 400 + b"1" + b"}" * 401,
    ],
    ids=lambda body: repr(body[:24] + b".." + body[-16:]),
)
def test_a_body_is_one_json_object(stack: Stack, account: Account, body: bytes) -> None:
    expect_refusal(post(stack, account, body), 400, code="invalid_json")


def test_a_number_too_large_for_a_float_is_refused(stack: Stack, account: Account) -> None:
    body = fields()[:-1] + b',"temperature":1e999}'

    expect_refusal(post(stack, account, body), 400)


def test_of_two_equal_names_the_one_that_is_checked_is_the_one_that_counts(
    stack: Stack, account: Account
) -> None:
    body = b'{"model":"demo-chat","model":"demo-unpriced","messages":[],"messages":' + (
        json.dumps(HI).encode() + b"}"
    )

    expect_refusal(post(stack, account, body), 404, code="model_not_found", word="demo-unpriced")


@pytest.mark.parametrize(
    "given",
    [
        {"messages": None},
        {"messages": []},
        {"messages": "Hi"},
        {"messages": {"role": "user", "content": "Hi"}},
        {"messages": ["Hi"]},
        {"messages": [None]},
        {"messages": [{"content": "Hi"}]},
        {"messages": [{"role": "root", "content": "Hi"}]},
        {"messages": [{"role": 7, "content": "Hi"}]},
        {"messages": [{"role": "user", "content": 7}]},
        {"messages": [{"role": "user", "content": {"text": "Hi"}}]},
        {"messages": [{"role": "user", "content": [7]}]},
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
        {"messages": [{"role": "user", "content": "Hi", "api_base": "http://evil"}]},
        {"n": 0},
        {"n": -1},
        {"n": 129},
        {"n": 1.0},
        {"n": "2"},
        {"n": True},
        {"n": 2**64},
        {"stream": "yes"},
        {"stream": 1},
        {"stream": []},
        {"stream_options": {"include_usage": True}},
        {"stream": True, "stream_options": True},
        {"stream": True, "stream_options": {"include_usage": "yes"}},
        {"stream": True, "stream_options": {"include_cost": True}},
        {"max_tokens": 5, "max_completion_tokens": 6},
        {"temperature": "hot"},
        {"stop": [1]},
        {"tools": [{"type": "web_search"}]},
        {"logit_bias": {"1": "much"}},
        {"unheard_of": 1},
    ],
    ids=repr,
)
def test_a_field_of_the_wrong_kind_is_named(
    stack: Stack, account: Account, given: dict[str, object]
) -> None:
    seen = post(stack, account, fields(**given))

    expect_refusal(seen, 400)
    assert seen.error["param"].split(".")[0].split("[")[0] in given


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(
    "limit", [0, -1, 2**63, 2**64, 10**400, 1.5, 1.0, True, "5", [], {}], ids=lambda v: repr(v)[:20]
)
def test_an_output_limit_is_a_sane_count(
    stack: Stack, account: Account, name: str, limit: object
) -> None:
    seen = post(stack, account, fields(**{name: limit}))

    expect_refusal(seen, 400)
    if limit != 10**400:  # the parser refuses that, before anybody knows its name
        assert seen.error["param"] == name


@pytest.mark.parametrize("limit", [2**53, 10**12, 2_000_000])
def test_an_output_limit_beyond_the_balance_is_refused_with_the_one_that_fits(
    stack: Stack, account: Account, limit: int
) -> None:
    seen = post(stack, account, fields(max_tokens=limit, n=128))

    expect_refusal(seen, 402, code="insufficient_quota", word="Lower max_tokens to ")
    assert seen.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "name",
    [
        "api_base",
        "base_url",
        "api_key",
        "user_config",
        "model_list",
        "fallbacks",
        "context_window_fallbacks",
        "content_policy_fallbacks",
        "mock_response",
        "mock_tool_calls",
        "mock_timeout",
        "mock_delay",
        "litellm_metadata",
        "tags",
        "guardrails",
        "callbacks",
        "timeout",
        "num_retries",
        "input_cost_per_token",
        "output_cost_per_token",
        "input_cost_per_second",
        "cache_read_input_token_cost",
        "cache",
        "no-log",
        "extra_headers",
        "extra_body",
        "custom_llm_provider",
        "litellm_params",
        "x-litellm-tags",
        "aws_secret_access_key",
        "vertex_credentials",
    ],
)
def test_nobody_routes_mocks_or_prices_a_call_from_outside(
    stack: Stack, account: Account, name: str
) -> None:
    expect_refusal(
        post(stack, account, fields(**{name: "evil"})), 400, code="unsupported_parameter", word=name
    )


# -- the transport ----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_body_is_refused(stack: Stack, account: Account, encoding: str) -> None:
    data = request_bytes(
        gzip.compress(fields()),
        key=account.api_key,
        headers=(f"Content-Encoding: {encoding}",),
    )

    expect_refusal(exchange(stack, data), 415, code="unsupported_encoding", word="Encoding")


def test_a_body_that_announces_too_much_is_refused_unread(stack: Stack, account: Account) -> None:
    head = request_bytes(b"", key=account.api_key).replace(
        b"Content-Length: 0", b"Content-Length: %d" % (50 * MEGABYTE)
    )

    expect_refusal(exchange(stack, head), 413, code="request_too_large", word="32 MB")


@pytest.mark.parametrize("chunked", [True, False])
def test_fifty_megabytes_are_too_much(stack: Stack, account: Account, *, chunked: bool) -> None:
    megabyte = b" " * MEGABYTE
    with raw_connection(stack.base_url) as sock:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {50 * MEGABYTE}"
        head = request_bytes(b"", key=account.api_key).replace(
            b"Content-Length: 0", length.encode()
        )
        frame = b"%x\r\n%s\r\n" % (MEGABYTE, megabyte) if chunked else megabyte
        try:
            sock.sendall(head)
            for _ in range(50):
                sock.sendall(frame)
            sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            # Refused while it was on its way; what was answered may still be there.
            pass
        answer = read_to_the_end(sock)
    # A server that closes on unread bytes may lose its own last words on the way.
    if answer:
        expect_refusal(parse(answer), 413, code="request_too_large")


def test_a_body_shorter_than_announced_is_refused(stack: Stack, account: Account) -> None:
    data = request_bytes(fields(), key=account.api_key)
    longer = data.replace(
        b"Content-Length: %d" % len(fields()), b"Content-Length: %d" % (len(fields()) + 10)
    )

    expect_refusal(exchange(stack, longer), 400, code="incomplete_body")


@pytest.mark.parametrize("path", [PATH, "/sign-in"])
@pytest.mark.parametrize("chunks", [b"zz\r\nx\r\n0\r\n\r\n", b"-5\r\nx", b"1\r\nxyz"], ids=repr)
def test_a_body_in_broken_chunks_is_refused(
    stack: Stack, account: Account, path: str, chunks: bytes
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {account.api_key}\r\n"
    data = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks

    expect_refusal(exchange(stack, data), 400, code="malformed_body")


def test_whoever_has_no_key_is_refused_before_a_long_body_is_read(stack: Stack) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {UNKNOWN_KEY}\r\n"
    with raw_connection(stack.base_url) as sock:
        sock.sendall(head.encode() + b"Content-Length: 30000000\r\n\r\n{")
        seen = parse(read_until(sock, b"}}"))

    expect_refusal(seen, 401, code="invalid_api_key")


def test_a_header_does_not_move_the_path(stack: Stack, account: Account) -> None:
    head = f"GET /v1/models HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {account.api_key}\r\n"

    assert exchange(stack, f"{head}SCRIPT_NAME: /v1\r\n\r\n".encode()).status == 200


def test_a_body_longer_than_announced_is_not_read_beyond(stack: Stack, account: Account) -> None:
    data = request_bytes(fields(), key=account.api_key)
    shorter = data.replace(
        b"Content-Length: %d" % len(fields()), b"Content-Length: %d" % (len(fields()) - 10)
    )

    expect_refusal(exchange(stack, shorter), 400, code="invalid_json")


@pytest.mark.parametrize(
    "headers",
    [
        ("Transfer-Encoding: chunked",),
        ("Content-Length: 3",),
        ("Content-Length: +5",),
        ("Host: another",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: chunked, chunked",),
        ("X-Nul: a\x00b",),
        ("Bad Name: x",),
    ],
    ids=repr,
)
def test_ambiguous_framing_is_refused_by_the_server(
    stack: Stack, account: Account, headers: tuple[str, ...]
) -> None:
    seen = exchange(stack, request_bytes(fields(), key=account.api_key, headers=headers))

    assert seen.status in (400, 501)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"POST\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/chat/completions\x00 HTTP/1.1\r\nHost: g\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_http_is_refused_by_the_server(stack: Stack, data: bytes) -> None:
    with raw_connection(stack.base_url) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass
        answer = read_to_the_end(sock)

    assert not answer or parse(answer).status in range(400, 506)


# -- the address ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/images/generations",
        "/v1/audio/speech",
        "/v1/chat",
        "/v1/chat/completions/",
        "/v1/chat/completions/x",
        "/v1/chat/Completions",
        "/v1//chat/completions",
        "/v1/../v1/chat/completions",
        "/v1/./chat/completions",
        "/v1/chat%00/completions",
        "/v1/key/generate",
        "/v1/model/info",
    ],
)
def test_an_address_that_is_not_served_is_not_found(
    stack: Stack, account: Account, path: str
) -> None:
    expect_refusal(
        exchange(stack, request_bytes(fields(), key=account.api_key, path=path)),
        404,
        code="unknown_url",
    )


@pytest.mark.parametrize(
    "path",
    [
        "//v1/chat/completions",
        "/V1/chat/completions",
        "/x/../v1/chat/completions",
        "/chat/completions",
        "/key/generate",
        "/model/info",
        "/v1chat/completions",
        "/litellm/v1/chat/completions",
    ],
)
def test_no_other_address_leads_to_the_models(stack: Stack, account: Account, path: str) -> None:
    seen = exchange(
        stack, request_bytes(fields(), key=account.api_key, path=path, headers=("Accept: */*",))
    )

    assert seen.status in (400, 404, 405)
    assert seen.headers["x-request-id"]
    assert seen.is_discreet()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_completions_are_posted(stack: Stack, account: Account, method: str) -> None:
    seen = exchange(stack, request_bytes(fields(), key=account.api_key, method=method))

    expect_refusal(seen, 405, code="method_not_allowed", word="POST")
    assert seen.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_models_are_read(stack: Stack, account: Account, method: str) -> None:
    seen = exchange(
        stack, request_bytes(b"", key=account.api_key, method=method, path="/v1/models")
    )

    expect_refusal(seen, 405, code="method_not_allowed", word="GET")


@pytest.mark.parametrize("path", ["/v1/models", "/api/v1/credits"])
@pytest.mark.parametrize("key", [UNKNOWN_KEY, "sk-wrong", ""])
def test_reading_takes_a_key_too(stack: Stack, path: str, key: str) -> None:
    seen = exchange(stack, request_bytes(b"", key=key, method="GET", path=path))

    expect_refusal(seen, 401, code="invalid_api_key")


def test_a_refusal_leaves_the_connection_usable(stack: Stack, account: Account) -> None:
    connection = connect(stack.base_url)
    try:
        statuses = [
            call_on(connection, body, key=account.api_key).status
            for body in (b"{", chat_body("Hi", model="unheard-of"), b"[]")
        ]
    finally:
        connection.close()

    assert statuses == [400, 404, 400]
