"""Spans of calls reach a collector over HTTP, and no call waits for one that is away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from creditcore.ports.call_traces import Part, Phase
from tests.collector import Collector, running_collector, said
from tests.stack import PATIENCE_S, Account, Stack, running_stack

TOKEN = "of direct mode 0123456789 0123456789"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def stack(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        "",
        tmp_path_factory.mktemp("traced"),
        LITELLM_DIRECT_TOKEN=TOKEN,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="50",
        OTEL_BSP_MAX_QUEUE_SIZE="60",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE="12",
    ) as stack:
        yield stack


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    return stack.an_account(credits_="1000")


def called(stack: Stack, account: Account, text: str, **fields: object) -> str:
    answer = stack.chat(text, key=account.api_key, **fields)
    answer.close()
    return str(answer.headers["x-request-id"])


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_has_a_span_for_each_phase(
    stack: Stack, account: Account, collector: Collector, stream: bool
) -> None:
    call_id = called(stack, account, "[[sim tokens=3 prompt=11]]", stream=stream)

    trace = collector.trace_of(call_id)
    root = trace.pop("call")
    assert list(trace) == list(Phase)
    assert {span.parent_span_id for span in trace.values()} == {root.span_id}
    ends = [span.end_time_unix_nano for span in trace.values()]
    begins = [span.start_time_unix_nano for span in trace.values()]
    assert (root.start_time_unix_nano, *ends) == (*begins, root.end_time_unix_nano)
    assert said(root)["gen_ai.request.model"] == "demo-chat"
    assert said(root)["http.route"] == "/v1/chat/completions"
    assert "creditcore" in collector.services


def test_a_refused_call_ends_with_what_refused_it(stack: Stack, collector: Collector) -> None:
    call_id = called(stack, stack.an_account(credits_="0"), "Hello")

    trace = collector.trace_of(call_id)
    assert said(trace.pop("call"))["error.type"] == "InsufficientCreditsError"
    assert list(trace) == [Phase.ADMISSION, Phase.HOLD]


def told(stack: Stack, path: str, body: dict[str, Any], traceparent: str) -> dict[str, Any]:
    """Speak to direct mode, as a LiteLLM does."""
    answer = requests.post(
        f"{stack.base_url}/api/litellm/{path}",
        json=body,
        headers={"authorization": f"Bearer {TOKEN}", "traceparent": traceparent},
        timeout=PATIENCE_S,
    )
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("given", [f"00-{TRACE_ID}-{SPAN_ID}-01", "", "nonsense"])
def test_what_litellm_asks_and_tells_of_a_call_is_one_trace(
    stack: Stack, account: Account, collector: Collector, given: str
) -> None:
    call_id = f"call-direct-{uuid.uuid4().hex}"
    asked = {
        "call_id": call_id,
        "key": account.api_key,
        "endpoint": "/v1/chat/completions",
        "request": {"model": "demo-chat", "messages": [{"role": "user", "content": "Hello"}]},
    }
    report = {
        "call_id": call_id,
        "status": "success",
        "usage": {"prompt_tokens": 7, "completion_tokens": 5},
    }

    allowed = told(stack, "authorize", asked, given)
    for _ in range(2):
        # A report that comes again is no second step of the call.
        settled = told(stack, "log-usage", report, allowed["traceparent"])

    spans = collector.spans_of(call_id, 2)
    begun, ended = spans[Part.AUTHORIZE], spans[Part.LOG_USAGE]
    assert begun.trace_id == ended.trace_id
    assert ended.parent_span_id == begun.span_id
    assert allowed["traceparent"].startswith(f"00-{begun.trace_id.hex()}-{begun.span_id.hex()}-")
    follows = given.startswith("00-")
    assert begun.parent_span_id.hex() == (SPAN_ID if follows else "")
    assert (begun.trace_id.hex() == TRACE_ID) is follows
    below = {span.name: span.parent_span_id for span in collector.below(begun, ended, count=3)}
    assert below == {
        Phase.ADMISSION: begun.span_id,
        Phase.HOLD: begun.span_id,
        Phase.SETTLEMENT: ended.span_id,
    }
    assert said(begun)["gen_ai.request.model"] == "demo-chat"
    assert said(ended)["gen_ai.usage.output_tokens"] == 5
    assert said(ended)["creditcore.charged_credits"] == settled["charged"]


def test_a_call_that_is_not_allowed_says_why(stack: Stack, collector: Collector) -> None:
    call_id = f"call-direct-{uuid.uuid4().hex}"
    asked = {
        "call_id": call_id,
        "key": stack.an_account(credits_="0").api_key,
        "endpoint": "/v1/chat/completions",
        "request": {"model": "demo-chat", "messages": [{"role": "user", "content": "Hello"}]},
    }

    assert told(stack, "authorize", asked, "")["error"]["code"] == "insufficient_quota"
    report = {"call_id": call_id, "status": "failure"}
    assert told(stack, "log-usage", report, "")["error"]

    spans = collector.spans_of(call_id, 2)
    assert said(spans[Part.AUTHORIZE])["error.type"] == "InsufficientCreditsError"
    assert said(spans[Part.LOG_USAGE])["error.type"] == "HoldNotFoundError"


def test_the_doctor_tries_the_collector(stack: Stack) -> None:
    assert "ok    traces" in stack.flask("doctor", check=False).stdout


def test_a_wrong_variable_keeps_no_gateway_from_serving(tmp_path: Path) -> None:
    with running_stack("", tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318") as stack:
        account = stack.an_account()
        assert stack.chat("[[sim tokens=1]]", key=account.api_key).status_code == 200
        doctor = stack.flask("doctor", check=False)
        written = stack.log.read_text()

    assert "No traces are sent" in written
    assert doctor.returncode == 1
    assert "FAIL  traces" in doctor.stdout
    assert "OTEL_EXPORTER_OTLP_ENDPOINT begins with http://" in doctor.stdout


def test_a_collector_that_hangs_holds_up_no_call(
    stack: Stack, account: Account, collector: Collector
) -> None:
    collector.hears.clear()
    # Five times what may wait.
    for _ in range(50):
        assert stack.chat("[[sim tokens=1 prompt=5]]", key=account.api_key).status_code == 200
    collector.hears.set()

    assert collector.trace_of(called(stack, account, "[[sim tokens=2]]"))
    assert stack.settled_wallet_of(account.person_id).posted
