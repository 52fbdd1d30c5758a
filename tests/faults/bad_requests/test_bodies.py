"""Bodies that mean nothing, or ask for too much: nothing is held, nothing is sent upstream."""

from __future__ import annotations

import json

import pytest

from tests.faults.bad_requests.refusals import (
    HI,
    expect_refusal,
    fields,
    post,
)
from tests.faults.wire import (
    call_on,
    chat_body,
    connect,
)
from tests.stack import Account, Stack


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
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf" * 10_000 + fields(),
        b"\xff\xfe" + fields(),
        fields()[:-1] + b',"user":"\xc3\x28"}',
        fields()[:-1] + b',"user":"\xed\xa0\x80"}',
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
        {"messages": [{"role": "user", "content": "Hi", "api_base": ["http://evil"]}]},
        {"n": 0},
        {"n": -1},
        {"n": 129},
        {"n": 1.5},
        {"n": "2"},
        {"n": True},
        {"n": 2**64},
        {"stream": "yes"},
        {"stream": 1},
        {"stream": []},
        {"stream": True, "stream_options": True},
        {"stream": True, "stream_options": {"include_usage": "yes"}},
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
    "limit", [0, -2, 2**63, 2**64, 10**400, 1.5, True, "5", [], {}], ids=lambda v: repr(v)[:20]
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
def test_no_client_routes_mocks_or_prices_a_call(stack: Stack, account: Account, name: str) -> None:
    expect_refusal(
        post(stack, account, fields(**{name: "evil"})), 400, code="unsupported_parameter", word=name
    )


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
