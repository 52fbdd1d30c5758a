"""Spans of calls, sent over HTTP (OTLP) by OpenTelemetry's own SDK.

The SDK reads its usual variables: where spans go and with what headers (``OTEL_EXPORTER_OTLP_*``),
how many are kept (``OTEL_TRACES_SAMPLER``), how many may wait (``OTEL_BSP_MAX_QUEUE_SIZE``, 2,048;
what does not fit is dropped), who we are (``OTEL_SERVICE_NAME``).

A call only notes the time of each of its phases. Its spans are made when it is over, with their
parents named: OpenTelemetry's current span is lost between greenlets
(opentelemetry-python#4379). The SDK's thread is started in the process that serves, after gevent's
patch; started before a fork, it would be missing, or there twice (#4298).

The SDK raises for some values of its variables and puts up with others. No process may fail to
serve for them: it says what is wrong and sends nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from creditcore.domain.holds import Call, Outcome
from creditcore.domain.money import Credits
from creditcore.ports.call_traces import CallTrace, NoTraces, Part, Phase

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_TRY_S = 3.0
"""How long a collector may take to answer when it is tried."""

_LAST_SEND_S = 3.0
"""How long a process that ends waits for the last spans to leave."""

_ERRORS_FROM = 400
_NONE = NoTraces()
_W3C = TraceContextTextMapPropagator()
_TRACEPARENT = "traceparent"

_log = logging.getLogger(__name__)


class OtelTraces:
    """Sends the spans of this process's calls."""

    def __init__(self) -> None:
        """Send nothing yet."""
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def start(self) -> None:
        """Make what sends; a repeat changes nothing."""
        if self._provider is not None:
            return
        try:
            self._provider = _provider()
        except Exception as error:  # noqa: BLE001 - the SDK documents no errors for bad values
            _log.warning("No traces are sent; check the variables OTEL_*: %s", error)
            return
        self._tracer = self._provider.get_tracer("creditcore")

    def fault(self) -> str | None:
        """Return what the SDK has against its variables, or that the collector takes nothing."""
        try:
            _provider().shutdown()
            taken = _exporter(timeout_s=_TRY_S).export(())
        except Exception as error:  # noqa: BLE001 - the SDK documents no errors for bad values
            return f"check the variables OTEL_*: {error}"
        return None if taken is SpanExportResult.SUCCESS else "the collector does not take them"

    def begin(self, call_id: str, *, part: Part = Part.CALL, parent: str = "") -> CallTrace:
        """Follow a call, or a part of it."""
        if self._tracer is None:
            return _NONE
        return _Trace(self._tracer, call_id, part=part, parent=parent)

    def close(self) -> None:
        """Send what is left, for a moment."""
        provider, self._provider, self._tracer = self._provider, None, None
        if provider is not None:
            # The SDK itself would wait up to 30 seconds.
            last = threading.Thread(target=provider.shutdown, daemon=True)
            last.start()
            last.join(_LAST_SEND_S)


class _Trace:
    """Notes when each phase of a call began."""

    def __init__(self, tracer: Tracer, call_id: str, *, part: Part, parent: str) -> None:
        self._tracer = tracer
        self._call_id = call_id
        self._part = part
        self._parent = parent
        first = Phase.SETTLEMENT if part is Part.LOG_USAGE else Phase.ADMISSION
        self._phases = [(first, time.time_ns())]

    def enter(self, phase: Phase) -> None:
        """Note that a phase begins."""
        self._phases.append((phase, time.time_ns()))

    def failed(self, error: BaseException) -> None:
        """Make the spans of a call that never had an answer."""
        self._send({"error.type": type(error).__name__}, is_error=True)

    def allowed(self, call: Call) -> str:
        """Make the spans of a call whose credits are held, and name the outermost."""
        root = self._send(_of(call), is_error=False)
        carrier: dict[str, str] = {}
        if root is not None:
            _W3C.inject(carrier, set_span_in_context(root, Context()))
        return carrier.get(_TRACEPARENT, self._parent)

    def settled(self, call: Call | None, outcome: Outcome, *, charged: Credits) -> None:
        """Make the spans of a call that is over."""
        said: dict[str, str | int] = {
            "http.response.status_code": outcome.status,
            "creditcore.basis": str(outcome.basis),
            "creditcore.charged_credits": str(charged),
        }
        if call is not None:
            said |= _of(call)
        if outcome.usage is not None:
            said["gen_ai.usage.input_tokens"] = outcome.usage.prompt_tokens
            said["gen_ai.usage.output_tokens"] = outcome.usage.completion_tokens
        if outcome.error:
            said["error.type"] = outcome.error
        self._send(said, is_error=outcome.status >= _ERRORS_FROM)

    def _send(self, said: Mapping[str, str | int], *, is_error: bool) -> Span | None:
        """Hand the spans over and return the outermost; a call never fails for its trace."""
        try:
            return self._make_spans(said, is_error=is_error)
        except Exception:  # noqa: BLE001 - a fault of the SDK leaves the call as it is
            with suppress(Exception):
                _log.exception("no trace of %s", self._call_id)
            return None

    def _make_spans(self, said: Mapping[str, str | int], *, is_error: bool) -> Span:
        ended = time.time_ns()
        root = self._tracer.start_span(
            str(self._part),
            # Empty where the parent is, or cannot be read.
            context=_W3C.extract({_TRACEPARENT: self._parent}, Context()),
            kind=SpanKind.SERVER,
            start_time=self._phases[0][1],
            attributes={"creditcore.call_id": self._call_id, **said},
        )
        if root.is_recording():
            parent = set_span_in_context(root, Context())
            for phase, began, until in _spans(self._phases, ended):
                span = self._tracer.start_span(str(phase), context=parent, start_time=began)
                span.end(until)
            if is_error:
                root.set_status(Status(StatusCode.ERROR))
        root.end(ended)
        return root


def _provider() -> TracerProvider:
    """Make what sends.

    Raises:
        Exception: The SDK refuses a value of its variables.
    """
    exporter = _exporter()
    provider = TracerProvider(
        resource=Resource.create(
            {SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME") or "creditcore"}
        ),
        # A process that ends must not wait half a minute for a collector that is away.
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter(*, timeout_s: float | None = None) -> OTLPSpanExporter:
    """Make what speaks to the collector.

    Raises:
        ValueError: Its address is none; the SDK would find out with each batch.
    """
    for name in _ENDPOINTS:
        if address := os.environ.get(name):
            parts = urlsplit(address)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError(f"{name} begins with http:// or https:// and names a host.")
    return OTLPSpanExporter(timeout=timeout_s)


def _of(call: Call) -> dict[str, str | int]:
    return {"gen_ai.request.model": call.model, "http.route": call.endpoint}


def _spans(phases: Sequence[tuple[Phase, int]], ended: int) -> Sequence[tuple[Phase, int, int]]:
    """Return each phase with its beginning and its end: where the next one began."""
    ends = [*(began for _, began in phases[1:]), ended]
    return [(phase, began, until) for (phase, began), until in zip(phases, ends, strict=True)]
