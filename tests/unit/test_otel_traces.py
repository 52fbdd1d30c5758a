"""A value that OpenTelemetry's SDK refuses costs the traces, and nothing else."""

from __future__ import annotations

import logging

import pytest

from adapters.otel import OtelTraces
from creditcore.ports.call_traces import NoTraces


@pytest.fixture(autouse=True)
def _collector(monkeypatch: pytest.MonkeyPatch) -> None:
    # No server listens on the discard port; nothing is sent there, for nothing starts.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    traces = OtelTraces()

    with caplog.at_level(logging.WARNING):
        traces.start()

    assert "No traces are sent; check the variables OTEL_*" in caplog.text
    assert isinstance(traces.begin("call-1"), NoTraces)
    assert (traces.fault() or "").startswith("check the variables OTEL_*: ")
    traces.close()


def test_traces_that_are_wanted_and_cannot_be_made_say_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    NoTraces().start()
    assert caplog.text == ""
    assert NoTraces().fault() is None

    NoTraces("The packages are missing.").start()

    assert "No traces are sent: The packages are missing." in caplog.text
    assert NoTraces("The packages are missing.").fault() == "The packages are missing."
