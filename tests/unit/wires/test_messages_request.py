from typing import Any

import orjson
import pytest

from adapters.wires.anthropic.messages import Messages
from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.inference import Wire
from tests.unit.wires.asking import Asking

HELLO = [{"role": "user", "content": "hello"}]
wire: Wire = Messages()
asking = Asking(wire, {"max_tokens": 100, "messages": HELLO})
parse, refused, sent = asking.parse, asking.refused, asking.sent


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def test_minimal_request_is_understood() -> None:
    request = parse()

    assert (request.model, request.stream, request.choices) == ("m", False, 1)
    assert (request.output_limit, request.prompt_estimate) == (100, 2)
    assert sent(request) == {
        "stream": False,
        "model": "m",
        "messages": HELLO,
        "max_tokens": 100,
    }


def test_a_tool_with_the_type_null_is_one_of_the_client() -> None:
    tool = {"type": None, "name": "f", "input_schema": {"type": "object"}}

    assert sent(parse(tools=[tool]))["tools"] == [tool]


def test_a_conversation_passes_whole() -> None:
    cached = {"type": "ephemeral", "ttl": "1h"}
    fields = {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": cached}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": cached}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": "ok"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "u",
                        "content": [{"type": "text", "text": "ok"}],
                        "is_error": True,
                    },
                ],
            },
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": cached}],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "enabled", "budget_tokens": 50},
        "stop_sequences": ["END"],
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 4,
    }

    assert {name: sent(parse(**fields))[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"model": ""}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages[0]"),
        ({"messages": [{"role": "developer", "content": "x"}]}, "messages[0].role"),
        (
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "context_management.edits[0].type",
        ),
        ({"context_management": {"edits": [{}]}}, "context_management.edits[0]"),
        ({"context_management": {"edits": 1}}, "context_management.edits"),
        ({"context_management": {"edits": [], "more": 1}}, "context_management"),
        ({"context_management": []}, "context_management"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x", "name": ["n"]}]}, "messages[0].name"),
        ({"system": 7}, "system"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
        ({"messages": user({"type": "text"})}, "messages[0].content[0].text"),
        ({"messages": user({"type": "server_tool_use"})}, "messages[0].content[0].type"),
        ({"messages": user({"type": "container_upload"})}, "messages[0].content[0].type"),
        (
            {"messages": user({"type": "image", "source": {"type": "file", "file_id": "f"}})},
            "messages[0].content[0].source",
        ),
        (
            {"messages": user({"type": "image", "source": {"type": "base64"}})},
            "messages[0].content[0].source.data",
        ),
        (
            {"messages": user({"type": "document", "source": {"type": "url", "url": "file:/x"}})},
            "messages[0].content[0].source.url",
        ),
        ({"tools": [{"type": "web_search_20250305", "name": "w"}]}, "tools[0].type"),
        ({"tools": [{"type": "bash_20250124b", "name": "b"}]}, "tools[0].type"),
        ({"tools": [{"type": "bash_20241022", "name": "b"}]}, "tools[0].type"),
        (
            {"tools": [{"type": "bash_20250124"}, {"type": "code_execution_20260521"}]},
            "tools[1].type",
        ),
        ({"tools": {"type": "bash_20250124"}}, "tools"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"thinking": True}, "thinking"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"service_tier": "priority"}, "service_tier"),
    ],
)
def test_a_wrong_value_is_named(fields: dict[str, Any], param: str) -> None:
    assert refused(**fields).param == param


@pytest.mark.parametrize(
    "name",
    [
        "api_base",
        "api_key",
        "container",
        "thread",
        "fallbacks",
        "inference_geo",
        "input_cost_per_token",
        "litellm_metadata",
        "mcp_servers",
        "mock_response",
        "speed",
        "tags",
    ],
)
def test_what_routes_mocks_or_prices_is_refused(name: str) -> None:
    error = refused(**{name: "x"})

    assert (error.param, error.code) == (name, "unsupported_parameter")


@pytest.mark.parametrize("kind", ["bash_20250124", "memory_20250818", "text_editor_20250728"])
def test_a_tool_that_only_anthropic_describes_is_served_and_held_for(kind: str) -> None:
    tool = {"type": kind, "name": "own"}

    plain, one, two = (parse(tools=[{"name": "own"}, *[tool] * times]) for times in range(3))

    assert sent(one)["tools"][1] == tool
    assert plain.prompt_bound is not None
    assert one.prompt_bound is not None
    assert two.prompt_bound is not None
    assert one.prompt_bound - plain.prompt_bound >= 700
    assert two.prompt_bound - one.prompt_bound == one.prompt_bound - plain.prompt_bound


@pytest.mark.parametrize(
    ("kind", "tokens"),
    [("bash_20250124", 245), ("memory_20250818", 700), ("text_editor_20250728", 700)],
)
def test_what_anthropic_usually_adds_for_a_tool_is_in_the_estimate(kind: str, tokens: int) -> None:
    tool = {"type": kind, "name": "own"}

    without = parse(tools=[]).prompt_estimate + -(-len(orjson.dumps(tool)) // 4)

    assert parse(tools=[tool]).prompt_estimate == pytest.approx(without + tokens, abs=1)


def test_a_refused_tool_is_not_advised_to_be_one_of_the_others_in_the_request() -> None:
    tools = [{"type": "bash_20250124"}, {"type": "web_search_20250305"}]

    assert str(refused(tools=tools)).endswith("run it yourself as a tool of type custom.")


def test_unknown_field_is_refused() -> None:
    assert refused(unheard_of=1).code == "unknown_parameter"


@pytest.mark.parametrize(
    ("name", "value"),
    [("metadata", {"user_id": "x"}), ("service_tier", "auto"), ("service_tier", "standard_only")],
)
def test_harmless_field_is_taken_but_not_forwarded(name: str, value: Any) -> None:
    assert name not in sent(parse(**{name: value}))


@pytest.mark.parametrize(("bound", "limit"), [(None, 100), (40, 40), (400, 100)])
def test_output_never_exceeds_either_limit(bound: int | None, limit: int) -> None:
    assert sent(parse(), bound)["max_tokens"] == limit


@pytest.mark.parametrize("text", ["", "a" * 1000, "日本語" * 100, '\n\t"\\' * 50])
def test_prompt_bound_covers_every_byte_that_is_sent(text: str) -> None:
    request = parse(system=text, messages=[{"role": "user", "content": text}])

    assert request.prompt_bound is not None
    assert request.prompt_bound >= len(wire.upstream_body(request, output_bound=None))
    assert request.prompt_estimate == -(-2 * len(text.encode()) // 4)


@pytest.mark.parametrize(
    "source",
    [
        {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        {"type": "url", "url": "https://example.com/a.png"},
    ],
)
def test_media_leave_the_prompt_without_a_bound_of_bytes(source: dict[str, Any]) -> None:
    inside = {"type": "tool_result", "tool_use_id": "t", "content": user({"type": "text"})}
    inside["content"] = [{"type": "image", "source": source}]

    assert parse(messages=user({"type": "image", "source": source})).prompt_bound is None
    assert parse(messages=user(inside)).prompt_bound is None


def test_a_document_of_text_is_text() -> None:
    document = {"type": "document", "source": {"type": "text", "data": "x" * 400}}

    request = parse(messages=user(document))

    assert request.prompt_bound is not None
    assert request.prompt_estimate >= 100


# Headers


def hearing(**headers: str) -> Wire:
    return wire.hearing({name.replace("_", "-"): text for name, text in headers.items()}.get)


def test_no_header_is_sent_that_was_not_heard() -> None:
    assert wire.upstream_headers == {}
    assert hearing(x_api_key="k", x_litellm_tags="t").upstream_headers == {}


def test_version_and_harmless_betas_are_sent() -> None:
    heard = hearing(
        anthropic_version="2023-06-01",
        anthropic_beta="prompt-caching-2024-07-31,claude-code-20250219, context-1m-2025-08-07",
    )

    assert heard.upstream_headers == {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "prompt-caching-2024-07-31,claude-code-20250219",
    }


@pytest.mark.parametrize("version", ["", "1", "2023-06-01\r\nx: y", "2023-06-01x", "x" * 9000])
def test_a_malformed_version_is_refused(version: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        hearing(anthropic_version=version)

    assert caught.value.param == "anthropic-version"


@pytest.mark.parametrize(
    "beta", ["", "x", "prompt-caching-2024-07-31\r\nx: y", "prompt-caching-2024-07-31x", "," * 5000]
)
def test_a_strange_beta_is_left_out(beta: str) -> None:
    assert hearing(anthropic_beta=beta).upstream_headers == {}


def test_what_claude_code_always_sends_passes() -> None:
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "system", "content": "Remember the rules."},
    ]

    request = parse(context_management=edits, messages=messages)

    assert sent(request)["context_management"] == edits
    assert sent(request)["messages"] == messages
    assert request.prompt_bound is not None
    assert request.prompt_bound > parse(messages=messages[:1]).prompt_bound


@pytest.mark.parametrize(
    "beta",
    [
        "context-management-2025-06-27",
        "mid-conversation-system-2026-04-07",
        "prompt-caching-scope-2026-01-05",
    ],
)
def test_a_beta_goes_with_the_field_that_it_allows(beta: str) -> None:
    heard = Messages().hearing({"anthropic-beta": beta}.get)

    assert heard.upstream_headers["anthropic-beta"] == beta


@pytest.mark.parametrize(
    ("ttl", "expected"), [("1h", True), ("5m", False), (None, False)], ids=["1h", "5m", "none"]
)
def test_only_a_cache_for_an_hour_is_held_as_one(ttl: str | None, expected: bool) -> None:
    control = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    system = [{"type": "text", "text": "x", "cache_control": control}]

    assert parse(system=system).long_cache is expected


@pytest.mark.parametrize("ttl", [b"\\u0031h", b"1\\u0032h"])
def test_an_hour_that_is_written_as_an_escape_counts(ttl: bytes) -> None:
    body = b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],'
    body += b'"cache_control":{"type":"ephemeral","ttl":"%b"}}' % ttl

    assert wire.parse(body).long_cache


@pytest.mark.parametrize(
    ("budget", "bound", "thinking"),
    [
        (31_999, None, {"type": "enabled", "budget_tokens": 31_999}),
        (31_999, 40_000, {"type": "enabled", "budget_tokens": 31_999}),
        (31_999, 5_000, {"type": "enabled", "budget_tokens": 4_999}),
        (4_000, 5_000, {"type": "enabled", "budget_tokens": 4_000}),
        (31_999, 1_024, {"type": "disabled"}),
    ],
)
def test_a_budget_for_thinking_stays_below_a_limit_that_was_lowered(
    budget: int, bound: int | None, thinking: dict[str, Any]
) -> None:
    request = parse(max_tokens=32_000, thinking={"type": "enabled", "budget_tokens": budget})

    assert sent(request, bound)["thinking"] == thinking
