"""Traces of calls for OpenTelemetry."""

from adapters.otel.traces import OtelTraces

__all__ = ["OtelTraces"]
