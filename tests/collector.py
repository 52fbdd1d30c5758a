"""An OpenTelemetry collector that keeps the spans it gets over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.stack import wait_until


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

    def spans_of(self, call_id: str, count: int) -> dict[str, Any]:
        """Return the outermost spans of a call's parts by name, once so many are here."""

        def here() -> list[Any]:
            found = [it for it in self.spans if said(it).get("creditcore.call_id") == call_id]
            return found if len(found) >= count else []

        found = wait_until(here)
        assert len(found) == count
        return {span.name: span for span in found}

    def below(self, *parents: Any, count: int) -> list[Any]:
        """Return the spans whose parents these are, once so many are here."""
        ids = {parent.span_id for parent in parents}

        def here() -> list[Any]:
            children = [it for it in self.spans if it.parent_span_id in ids]
            found = [it for it in children if it.span_id not in ids]
            return found if len(found) >= count else []

        return wait_until(here)


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
