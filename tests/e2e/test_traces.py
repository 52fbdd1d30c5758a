"""Spans of calls reach a collector over HTTP, and no call waits for one that is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from creditcore.ports.call_traces import Phase
from tests.stack import Account, Stack, running_stack, wait_until


class Collector:
    """Takes spans as long as it is let."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.hears = threading.Event()
        self.hears.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.hears.wait()
                collector.take(self.path, body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {
                it.value.string_value
                for it in group.resource.attributes
                if it.key == "service.name"
            }
            for scope in group.scope_spans:
                self.spans += scope.spans

    def trace_of(self, call_id: str) -> dict[str, Any]:
        """Return the spans of a call by name once they are all here."""
        [root] = wait_until(
            lambda: [span for span in self.spans if said(span).get("creditcore.call_id") == call_id]
        )
        return {span.name: span for span in self.spans if span.trace_id == root.trace_id}


def said(span: Any) -> dict[str, Any]:
    return {it.key: it.value.string_value or it.value.int_value for it in span.attributes}


@contextmanager
def running_collector() -> Iterator[Collector]:
    collector = Collector()
    threading.Thread(target=collector.server.serve_forever, daemon=True).start()
    try:
        yield collector
    finally:
        collector.hears.set()
        collector.server.shutdown()
        collector.server.server_close()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def stack(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        "",
        tmp_path_factory.mktemp("traced"),
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
