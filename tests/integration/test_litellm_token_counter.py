"""Prompts are counted by LiteLLM over real sockets, and odd answers are none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from adapters.litellm.admin import AdminClient
from adapters.litellm.token_counter import LEAST_S, LiteLLMTokenCounter
from creditcore.ports.prompt_counts import PromptCount, PromptText
from tests.integration.sandbox_client import KEY, Client
from tests.integration.upstream import WAIT_S, Script, Server, an_answer

TEXT = PromptText((("user", "Habari ya asubuhi"), ("assistant", "Nzuri")), 300)
ANSWER = {
    "total_tokens": 11,
    "request_model": "m",
    "model_used": "gpt-4o-mini",
    "tokenizer_type": "openai_tokenizer",
    "original_response": None,
    "error": False,
    "error_message": None,
    "status_code": None,
}
"""As LiteLLM 1.91.5 gives it."""

BY_ANTHROPIC = {"tokenizer_type": "anthropic_api", "original_response": {"input_tokens": 11}}


def a_counter(
    server: Server, *, answer_timeout_s: float = WAIT_S, now: Callable[[], float] = time.monotonic
) -> LiteLLMTokenCounter:
    return LiteLLMTokenCounter(
        AdminClient(
            base_url=f"http://127.0.0.1:{server.port}",
            master_key="sk-master",
            connect_timeout_s=WAIT_S,
            answer_timeout_s=answer_timeout_s,
        ),
        now=now,
    )


def at_these(*moments: float) -> Callable[[], float]:
    """Return a clock that is looked at so often."""
    return iter(moments).__next__


def says(**changes: object) -> bytes:
    return an_answer(json.dumps({**ANSWER, **changes}).encode())


def count(server: Server, *answers: bytes) -> tuple[PromptCount | None, list[bytes]]:
    """Return the count by a server that gives these answers, and what it was asked."""
    script = Script(lambda: [server.accept().answer(answer) for answer in answers]).start()

    counted = a_counter(server).count("m", TEXT)

    asked = script.outcome()
    assert isinstance(asked, list)
    return counted, asked


def test_a_text_is_asked_for_with_the_key_in_both_spellings(server: Server) -> None:
    counted, [asked] = count(server, says())

    head, _, body = asked.partition(b"\r\n\r\n")
    assert counted == PromptCount(11, by_provider=False)
    assert head.startswith(b"POST /utils/token_counter?call_endpoint=true HTTP/1.1\r\n")
    assert b"Bearer sk-master" in head
    assert json.loads(body) == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Habari ya asubuhi"},
            {"role": "assistant", "content": "Nzuri"},
        ],
        "contents": [
            {"role": "user", "parts": [{"text": "Habari ya asubuhi"}]},
            {"role": "model", "parts": [{"text": "Nzuri"}]},
        ],
    }


@pytest.mark.parametrize(
    ("said", "by_provider"),
    [
        (BY_ANTHROPIC, True),
        # Gemini's count has no name for its tokenizer.
        ({"tokenizer_type": "", "original_response": {"totalTokens": 11}}, True),
        ({"tokenizer_type": "huggingface_tokenizer"}, False),
        ({"tokenizer_type": "openai_tokenizer", "original_response": {}}, False),
        ({"tokenizer_type": "anthropic_api"}, False),
        ({"tokenizer_type": "some new tokenizer"}, False),
        ({"tokenizer_type": ["no name"]}, False),
    ],
)
def test_who_has_counted_is_told_by_the_providers_own_words(
    server: Server, said: dict[str, object], by_provider: bool
) -> None:
    counted, _ = count(server, says(**said))

    assert counted == PromptCount(11, by_provider)


@pytest.mark.parametrize("status", ["400 Bad Request", "500 Internal Server Error"])
def test_where_the_provider_fails_litellm_counts_by_itself(server: Server, status: str) -> None:
    counted, asked = count(server, an_answer(status=status), says())

    assert counted == PromptCount(11, by_provider=False)
    assert asked[1].startswith(b"POST /utils/token_counter HTTP/1.1\r\n")


def test_litellm_is_not_asked_once_more_where_no_time_is_left(server: Server) -> None:
    failed = an_answer(status="500 Internal Server Error")
    script = Script(lambda: server.accept().answer(failed)).start()
    late = 2 * WAIT_S - LEAST_S + 0.1

    assert a_counter(server, now=at_these(0, late)).count("m", TEXT) is None

    assert script.outcome()
    server.listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        server.listener.accept()


def test_it_has_what_time_is_left_to_count_by_itself(server: Server) -> None:
    def falls_silent() -> bool:
        server.accept().answer(an_answer(status="500 Internal Server Error"))
        peer = server.accept()
        peer.read_request()
        return peer.sees_end()

    script = Script(falls_silent).start()
    late = 2 * WAIT_S - LEAST_S - 0.1

    assert a_counter(server, now=at_these(0, late)).count("m", TEXT) is None

    assert script.outcome()


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "503 No"])
def test_an_error_is_no_count(server: Server, status: str) -> None:
    failed = an_answer(json.dumps(ANSWER).encode(), status=status)

    counted, asked = count(server, failed, failed)

    assert counted is None
    assert len(asked) == 2


@pytest.mark.parametrize(
    "odd",
    [
        *({"total_tokens": value} for value in (None, 0, -1, 11.0, 1e400, "11", True, [11])),
        {"total_tokens": 2**60},
        {"total_tokens": float("nan")},
        {"error": True, "error_message": "no"},
        {"request_model": "another"},
        {"request_model": None},
    ],
    ids=str,
)
def test_an_odd_answer_is_no_count(server: Server, odd: dict[str, object]) -> None:
    counted, _ = count(server, says(**odd))

    assert counted is None


@pytest.mark.parametrize("body", [b"", b"11", b"[]", b"null", b"{}", b"nonsense", b'{"total_'])
def test_what_is_no_object_is_no_count(server: Server, body: bytes) -> None:
    counted, _ = count(server, an_answer(body))

    assert counted is None


def test_silence_is_no_count(server: Server) -> None:
    script = Script(lambda: server.accept().read_request()).start()

    assert a_counter(server, answer_timeout_s=0.05).count("m", TEXT) is None

    assert script.outcome()


def test_a_proxy_that_does_not_answer_is_not_asked_for_a_while(server: Server) -> None:
    def hang_up() -> None:
        for _ in range(5):
            server.accept().close()

    script = Script(hang_up).start()
    counter = a_counter(server)

    for _ in range(5):
        assert counter.count("m", TEXT) is None

    script.outcome()
    assert not counter.breaker.might_allow()
    # The server is gone: without the breaker this would wait for an answer.
    assert counter.count("m", TEXT) is None


@pytest.mark.parametrize(
    "status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "405 Method Not Allowed"]
)
def test_a_server_that_does_not_count_is_not_asked_for_a_while(server: Server, status: str) -> None:
    Script(lambda: [server.accept().answer(an_answer(status=status)) for _ in range(10)]).start()
    counter = a_counter(server)

    for _ in range(5):
        assert counter.breaker.might_allow()
        assert counter.count("m", TEXT) is None

    assert not counter.breaker.might_allow()


def test_an_error_does_not_stop_the_asking(server: Server) -> None:
    script = Script(
        lambda: [server.accept().answer(an_answer(status="500 No")) for _ in range(12)]
    ).start()
    counter = a_counter(server)

    for _ in range(6):
        counter.count("m", TEXT)

    assert len(script.outcome()) == 12  # type: ignore[arg-type]


@pytest.fixture
def standing_in(litellm: Client) -> LiteLLMTokenCounter:
    return LiteLLMTokenCounter.at(litellm.base, KEY)


def test_the_stand_in_counts_words_and_messages(standing_in: LiteLLMTokenCounter) -> None:
    assert standing_in.count("demo-chat", TEXT) == PromptCount(3 + 1 + 2 * 4, by_provider=False)


def test_the_stand_ins_anthropic_counts_for_itself(standing_in: LiteLLMTokenCounter) -> None:
    assert standing_in.count("claude-sonnet-4-5", TEXT) == PromptCount(12, by_provider=True)


def test_a_proxy_that_is_down_counts_nothing(
    litellm: Client, standing_in: LiteLLMTokenCounter
) -> None:
    litellm.control("/litellm/down", down=True)

    assert standing_in.count("demo-chat", TEXT) is None


def test_a_wrong_key_counts_nothing(litellm: Client) -> None:
    assert LiteLLMTokenCounter.at(litellm.base, "sk-other").count("demo-chat", TEXT) is None


def test_the_stand_in_refuses_as_recorded(litellm: Client) -> None:
    answer = litellm.http.post(
        f"{litellm.base}/utils/token_counter", json={"model": "demo-chat"}, timeout=WAIT_S
    )

    assert answer.status_code == 400
    assert answer.json() == {"detail": "prompt or messages or contents must be provided"}


def test_the_stand_in_answers_as_recorded(litellm: Client) -> None:
    answer = litellm.http.post(
        f"{litellm.base}/utils/token_counter",
        json={"model": "nope", "prompt": "hello there my friend"},
        timeout=WAIT_S,
    )

    assert answer.json() == {
        **ANSWER,
        "total_tokens": 4,
        "request_model": "nope",
        "model_used": "nope",
    }
    assert list(answer.json()) == list(ANSWER)
