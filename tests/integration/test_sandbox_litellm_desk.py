"""The LiteLLM stand-in's refusals, lists and records are those of the recorded proxy."""

from __future__ import annotations

import json

import pytest
import requests

from tests.integration.sandbox_client import KEY, Client
from tests.stack import PATIENCE_S
from tests.unit.wires.recordings import body_of


def test_provider_401_leaks_its_key_as_recorded(litellm: Client) -> None:
    answer = litellm.chat("[[sim status=401]]")

    assert answer.status_code == 401
    assert "sk-secret-upstream-key" in answer.json()["error"]["message"]
    assert answer.json()["error"]["code"] == "401"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "maximum context length"),
        (429, "RateLimitError"),
        (500, "exploded"),
        (529, "scripted"),
    ],
)
def test_statuses_can_be_scripted(litellm: Client, status: int, text: str) -> None:
    answer = litellm.chat(f"[[sim status={status}]]", stream=True)

    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]
    assert ("retry-after" in answer.headers) == (status == 429)


@pytest.mark.parametrize("status", [429, 500])
def test_a_failure_of_anthropic_is_passed_on_as_recorded(litellm: Client, status: int) -> None:
    recorded = body_of("1.91.5", f"messages-claude-error-{status}")

    answer = litellm.http.post(
        f"{litellm.base}/v1/messages",
        json={
            "model": "claude-sonnet-4-5",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": f"[[sim status={status}]]"}],
        },
        timeout=PATIENCE_S,
    )

    said, expected = answer.json()["error"], json.loads(recorded)["error"]
    assert {**said, "message": ""} == {**expected, "message": ""}
    kind = json.loads(said["message"].partition(". Received")[0])["error"]["type"]
    assert f'"{kind}"' in expected["message"]


def test_an_error_says_to_wait_as_long_as_its_script_does(litellm: Client) -> None:
    answer = litellm.chat("[[sim status=429 retry_after=1]]")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_exceeded_budget_is_told_by_its_type(litellm: Client) -> None:
    answer = litellm.chat("[[sim status=422 error=budget]]")

    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "budget_exceeded")


def test_error_status_can_come_with_an_event_stream(litellm: Client) -> None:
    answer = litellm.chat("[[sim status=500 sse=1]]", stream=True)

    assert (answer.status_code, answer.headers["content-type"]) == (
        500,
        "text/event-stream; charset=utf-8",
    )
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("model", ["nope", None, ["demo-chat"]])
def test_unknown_model_is_a_400(litellm: Client, model: object) -> None:
    answer = litellm.chat(model=model)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(
        "/chat/completions: Invalid model name passed in model="
    )
    assert answer.json()["error"]["type"] == "None"


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nonsense", "Basic sk-sandbox-master"])
def test_call_without_a_key_is_a_401(litellm: Client, header: str | None) -> None:
    litellm.http.headers["authorization"] = header  # type: ignore[assignment]

    answer = litellm.chat()

    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "auth_error")


def test_unknown_key_is_a_401_of_its_own(litellm: Client) -> None:
    litellm.http.headers["authorization"] = "Bearer sk-other"

    assert litellm.chat().json()["error"]["type"] == "token_not_found_in_db"
    assert litellm.http.get(f"{litellm.base}/model/info", timeout=PATIENCE_S).status_code == 401


def test_bad_json_is_a_400(litellm: Client) -> None:
    answer = litellm.http.post(
        f"{litellm.base}/v1/chat/completions", data=b'{"model":', timeout=PATIENCE_S
    )

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "request_body")


@pytest.mark.parametrize("messages", [None, [], "hi", ["hi"]])
def test_bad_messages_are_a_400(litellm: Client, messages: object) -> None:
    assert litellm.chat(messages=messages).status_code == 400


@pytest.mark.parametrize(
    "directive",
    ["tokns=3", "tokens", "tokens=x", "tokens=999999999", "usage=odd", "status=200", 'text="open'],
)
def test_typing_errors_in_a_script_are_told(litellm: Client, directive: str) -> None:
    answer = litellm.chat(f"[[sim {directive}]]")

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_model_info_has_rows_as_recorded(litellm: Client) -> None:
    answer = litellm.http.get(f"{litellm.base}/model/info", timeout=PATIENCE_S)

    rows = {row["model_name"]: row["model_info"] for row in answer.json()["data"]}
    assert {
        "demo-chat",
        "gpt-4o-mini",
        "gpt-4o",
        "claude-sonnet-4-5",
        "claude-haiku-4-5",
        "claude-opus-4-5",
        "demo-reasoning",
        "demo-embedding",
        "text-embedding-3-small",
        "dall-e-3",
        "gpt-image-1",
        "tts-1",
        "whisper-1",
        "gpt-4o-transcribe",
        "rerank-v3.5",
        "omni-moderation-latest",
        "demo-unpriced",
    } == {*rows}
    assert '"input_cost_per_token":1.5e-07' in answer.text
    assert rows["demo-unpriced"]["input_cost_per_token"] == 0
    assert rows["claude-sonnet-4-5"]["cache_read_input_token_cost_above_200k_tokens"] == 6e-07
    assert rows["demo-reasoning"]["output_cost_per_reasoning_token"] == 1.2e-05


def test_models_are_listed(litellm: Client) -> None:
    for path in ("/models", "/v1/models"):
        listed = litellm.http.get(f"{litellm.base}{path}", timeout=PATIENCE_S).json()
        assert listed["data"][0] == {
            "id": "demo-chat",
            "object": "model",
            "created": 1677610602,
            "owned_by": "openai",
            "max_input_tokens": 128000,
            "max_output_tokens": 16384,
        }


def test_health_needs_no_key(litellm: Client) -> None:
    assert (
        requests.get(f"{litellm.base}/health/liveliness", timeout=PATIENCE_S).text
        == '"I\'m alive!"'
    )
    assert (
        requests.get(f"{litellm.base}/health/readiness", timeout=PATIENCE_S).json()["status"]
        == "healthy"
    )


def test_prices_can_be_changed_added_and_removed(litellm: Client) -> None:
    litellm.control(
        "/litellm/prices",
        **{"demo-chat": {"output_cost_per_token": 1.0}, "new": {}, "gpt-4o": None},
    )

    assert (
        float(litellm.chat("[[sim tokens=2 prompt=0]]").headers["x-litellm-response-cost"]) == 2.0
    )
    assert litellm.chat(model="new").status_code == 200
    assert litellm.chat(model="gpt-4o").status_code == 400
    litellm.control("/reset")
    assert litellm.chat(model="gpt-4o").status_code == 200


def test_outage_drops_connections_or_answers_503(litellm: Client) -> None:
    litellm.control("/litellm/down", down=True)
    with pytest.raises(requests.ConnectionError):
        litellm.chat()

    litellm.control("/litellm/down", down=True, mode="503")
    assert litellm.chat().status_code == 503

    litellm.control("/litellm/down", down=False)
    assert litellm.chat().status_code == 200


def test_calls_are_recorded_as_received(litellm: Client) -> None:
    litellm.http.headers["x-litellm-call-id"] = "call-9"
    litellm.chat("[[sim tokens=4]]", user="ada")
    litellm.last_call(lambda call: call["ended_at"] is not None)

    calls = litellm.calls(call_id="call-9")

    (call,) = calls["calls"]
    assert (calls["total"], calls["open"], calls["max_open"]) == (1, 0, 1)
    assert (call["path"], call["model"], call["stream"], call["status"]) == (
        "/v1/chat/completions",
        "demo-chat",
        False,
        200,
    )
    assert (call["body"]["user"], call["headers"]["authorization"]) == ("ada", f"Bearer {KEY}")
    assert (call["tokens_sent"], call["finished"], call["closed_by_client"]) == (4, True, False)
    assert call["started_at"] <= call["ended_at"]


def test_refused_calls_are_recorded_too(litellm: Client) -> None:
    litellm.chat(model="nope")

    assert [call["status"] for call in litellm.calls()["calls"]] == [400]
