"""Figures in the format of Prometheus, added up over all processes of a host."""

from __future__ import annotations

from adapters.prometheus.metrics import PrometheusMetrics

__all__ = ["PrometheusMetrics"]
