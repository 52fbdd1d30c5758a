"""Further members of kinds that were met in the field: providers and clients beside the usual."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within, refusal
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.embeddings import Embeddings
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter
from tests.unit.wires.asking import Asking

asking = Asking(ChatCompletions(), {"messages": [{"role": "user", "content": "hi"}]})
COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def a_meter(**fields: Any) -> Meter:
    request = asking.parse(**fields)
    return asking.wire.meter(request, receipt=lambda _: {"cost": "1"}, explain=failure_within)


def chunk(finish_reason: str | None = None, *, choice: object = None, **beside: Any) -> bytes:
    said = {"index": 0, "delta": {"content": "hi"}, "finish_reason": finish_reason}
    document = {"id": "c", "choices": [{**said, **(choice if isinstance(choice, dict) else {})}]}
    return b"data: " + orjson.dumps({**document, **beside}) + b"\n\n"


@pytest.mark.parametrize(
    "last",
    [
        chunk("stop", x_groq={"id": "req_1", "usage": COUNTS}),
        chunk("stop", choice={"usage": COUNTS}),
    ],
    ids=["groq", "moonshot"],
)
@pytest.mark.parametrize("wanted", [True, False])
def test_usage_is_found_where_a_provider_writes_it(last: bytes, *, wanted: bool) -> None:
    meter = a_meter(stream=True, stream_options={"include_usage": wanted})

    given = meter.feed(chunk() + last)

    assert meter.usage == Usage(prompt_tokens=10, completion_tokens=5)
    assert (b'"cost":"1"' in given) is wanted


def test_an_end_whose_reason_is_an_error_is_one() -> None:
    meter = a_meter(stream=True)

    given = meter.feed(chunk() + chunk("error"))

    assert meter.error == "The model reported an error while it answered."
    assert b'"type":"server_error"' in given
    assert not meter.complete


def test_an_answer_without_choices_and_counts_is_none() -> None:
    for document, is_failure in (({}, True), ({"usage": COUNTS}, False)):
        meter = a_meter()
        meter.feed(orjson.dumps({"choices": [], **document}))
        meter.finish()
        assert (meter.failure is not None) is is_failure


def test_what_clients_tell_other_servers_is_dropped_or_passed_on() -> None:
    dropped = {
        "cache_prompt": True,
        "include_reasoning": True,
        "keep_alive": "5m",
        "session_id": "x",
        "usage": {"include": True},
    }
    passed = {"chat_template_kwargs": {"enable_thinking": False}, "enable_thinking": False}

    sent = asking.sent(asking.parse(**dropped, **passed))

    assert not dropped.keys() & sent.keys()
    assert passed.items() <= sent.items()


@pytest.mark.parametrize(
    "words",
    [
        "litellm.BadRequestError: AnthropicException - prompt is too long: 9 tokens > 8 maximum",
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
        "The input token count (12) exceeds the maximum number of tokens allowed (10).",
        "the request exceeds the available context size, try increasing it",
        "Input is too long for requested model.",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "Please reduce the length of the messages or completion.",
    ],
)
def test_a_full_context_is_known_by_the_words_of_each_provider(words: str) -> None:
    error = refusal(400, orjson.dumps({"error": {"message": words}}), retry_after=None)

    assert error.code == "context_length_exceeded"


@pytest.mark.parametrize(
    "words", ["max_tokens is too large: 9. At most 8 completion tokens.", "context is required"]
)
def test_other_words_are_not_a_full_context(words: str) -> None:
    error = refusal(400, orjson.dumps({"error": {"message": words}}), retry_after=None)

    assert error.code is None


def asked_with(file_data: str) -> list[dict[str, object]]:
    file = {"type": "file", "file": {"filename": "a", "file_data": file_data}}
    return [{"role": "user", "content": [file]}]


def test_a_file_of_text_is_bounded_by_its_bytes_and_any_other_by_the_context() -> None:
    letters = base64.b64encode(b"a" * 3_000).decode()

    text = asking.parse(messages=asked_with(f"data:text/plain;base64,{letters}"))
    table = asking.parse(messages=asked_with(f"data:text/csv;base64,{letters}"))
    other = asking.parse(messages=asked_with(f"data:application/pdf;base64,{letters}"))

    # OpenAI makes more of a table than is in it.
    assert table.prompt_bound is None
    assert text.prompt_bound is not None
    assert 3_000 <= text.prompt_bound < 4_600
    assert 700 < text.prompt_estimate < 800
    assert other.prompt_bound is None


@pytest.mark.parametrize(
    ("kind", "name", "is_bounded"),
    [
        ("application/x-yaml", "values.yaml", True),
        ("application/vnd.api+json", "a.json", True),
        ("application/x-sh", "run.sh", True),
        ("application/typescript", "a.ts", True),
        ("application/xml", "pom.xml", True),
        ("text/html; charset=utf-8", "a.html", True),
        ("text/plain", "Main.KT", True),
        ("text/plain", "change.patch", True),
        ("text/plain", ".gitignore", True),
        # Tables and documents, by which some make more of a text than is in it.
        ("text/plain", "a.csv", False),
        ("text/plain", ".csv", False),
        ("text/plain", "a.txt.xlsx", False),
        ("text/plain", "a.docx", False),
        ("text/plain", "a.ipynb", False),
        ("application/vnd.oasis.opendocument.text", "a.txt", False),
        ("application/zip", "a.txt", False),
    ],
)
def test_text_is_known_by_its_media_type_and_its_name(
    kind: str, name: str, *, is_bounded: bool
) -> None:
    letters = base64.b64encode(b"a" * 3_000).decode()
    [message] = asked_with(f"data:{kind};base64,{letters}")
    content: Any = message["content"]
    content[0]["file"]["filename"] = name

    bound = asking.parse(messages=[message]).prompt_bound

    assert (bound is not None) is is_bounded
    assert bound is None or 3_000 <= bound < 4_800


@pytest.mark.parametrize("height", [640, -640])
def test_a_bitmap_is_bounded_by_its_size(height: int) -> None:
    sides = (480).to_bytes(4, "little") + height.to_bytes(4, "little", signed=True)
    head = b"BM" + b"\0" * 12 + (40).to_bytes(4, "little") + sides + b"\0" * 28
    url = f"data:image/bmp;base64,{base64.b64encode(head).decode()}"
    content = [{"type": "image_url", "image_url": {"url": url}}]

    assert asking.parse(messages=[{"role": "user", "content": content}]).prompt_bound is not None


def test_what_samples_and_what_chat_programs_note_is_no_reason_to_refuse() -> None:
    passed = {
        "do_sample": True,
        "length_penalty": 1.0,
        "prompt_mode": "reasoning",
        "random_seed": 1,
        "reasoning_split": True,
        "repeat_penalty": 1.1,
        "safe_prompt": False,
        "thinking_budget": 100,
        "tool_stream": True,
        "top_a": 0.1,
        "typical_p": 0.9,
    }
    dropped = ("chat_id", "copilot_thread_id", "num_ctx", "request_id", "trace", "user_id")

    sent = asking.sent(asking.parse(**passed, **dict.fromkeys(dropped, "x")))

    assert passed.items() <= sent.items()
    assert sent.keys().isdisjoint(dropped)


def test_a_message_goes_without_what_a_client_notes_beside_it() -> None:
    signed = {"extra_content": {"google": {"thought_signature": "x" * 99}}}
    answer = {"role": "assistant", "content": "hi"}
    noted = {**answer, "id": "1", "timestamp": 5, "model": "m", "phase": "commentary"}

    request = asking.parse(messages=[{**noted, **signed}])

    assert asking.sent(request)["messages"] == [{**answer, **signed}]
    assert request.prompt_estimate >= 25
    assert asking.refused(messages=[{**noted, "images": ["x"]}]).param == "messages[0].images"


def test_counts_may_be_asked_for_all_along() -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}

    request = asking.parse(stream=True, stream_options=options)

    assert request.wants_usage
    assert asking.sent(request)["stream_options"] == {"include_usage": True}


def test_an_embedding_is_asked_for_as_other_servers_are() -> None:
    embedding = Asking(Embeddings(), {"input": "hi"})
    fields = {"input_type": "query", "task": "retrieval.query", "truncate": "END"}
    flags = {"late_chunking": True, "normalized": True, "truncation": False}

    sent = embedding.sent(embedding.parse(**fields, **flags, output_dimension=256))

    assert {**fields, **flags, "output_dimension": 256}.items() <= sent.items()


@pytest.mark.parametrize(
    "beta",
    [
        "advanced-tool-use-2025-11-20",  # input_examples
        "mid-conversation-system-clear-at-2026-08-21",
        "model-context-window-exceeded-2025-08-26",
        "redact-thinking-2026-02-12",
        "task-budgets-2026-03-13",
        "thinking-display-updates-2026-08-18",
    ],
)
def test_betas_of_fields_that_pass_go_with_them(beta: str) -> None:
    heard = Messages().hearing({"anthropic-beta": beta}.get)
    tool = {"name": "f", "input_schema": {"type": "object"}, "input_examples": [{"a": 1}]}
    rule = {"role": "system", "content": "Be kind.", "clear_at": "next_user_message"}
    messages = Asking(heard, {"messages": [{"role": "user", "content": "hi"}, rule]})
    budget = {"task_budget": {"type": "tokens", "total": 20_000}}

    sent = messages.sent(messages.parse(max_tokens=9, tools=[tool], output_config=budget))

    assert heard.upstream_headers == {"anthropic-beta": beta}
    assert (sent["tools"], sent["output_config"]) == ([tool], budget)
    assert sent["messages"][1] == rule
