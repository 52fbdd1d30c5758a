"""Counters and histograms of calls, and gauges that are read when they are asked for.

With ``PROMETHEUS_MULTIPROC_DIR`` set, as ``gunicorn.conf.py`` does, each process counts in files of
its own, which are added up at each scrape. No name of a person, key or call is ever a label: there
is one series for each model and outcome, and no more.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client import Gauge as Setting
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from creditcore.domain.endings import CLIENT_LEFT
from creditcore.domain.holds import Call, Outcome
from creditcore.domain.money import Credits
from creditcore.ports.metrics import Gauge, PoolUse

_ERRORS_FROM = 400
_MILLISECONDS = 1000
_MICROCREDITS = 1_000_000
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_MAX_SERIES = 2_000
"""Models beyond that are counted as ``other``: their names come from LiteLLM's list."""


class _Series:
    """The figures of one model on one route with one outcome, looked up once."""

    def __init__(self, metrics: PrometheusMetrics, endpoint: str, model: str, outcome: str) -> None:
        self.calls = metrics.calls.labels(endpoint, model, outcome)
        self.seconds = metrics.seconds.labels(endpoint)
        self.first_byte = metrics.first_byte.labels(endpoint)
        self.input = metrics.tokens.labels(model, "input")
        self.output = metrics.tokens.labels(model, "output")
        self.charged = metrics.charged.labels(model)


class PrometheusMetrics:
    """What this process has carried."""

    def __init__(self) -> None:
        """Start from nothing; in one process several of these count apart."""
        registry = self._registry = CollectorRegistry()
        self.calls = Counter(
            "creditcore_calls",
            "Calls that were let in and have ended.",
            ("endpoint", "model", "outcome"),
            registry=registry,
        )
        self.seconds = Histogram(
            "creditcore_call_seconds",
            "From admission to the last byte.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.first_byte = Histogram(
            "creditcore_first_byte_seconds",
            "From admission to the first byte of the answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.tokens = Counter(
            "creditcore_tokens",
            "Tokens that calls were charged by.",
            ("model", "side"),
            registry=registry,
        )
        self.charged = Counter(
            "creditcore_charged_credits", "Credits charged.", ("model",), registry=registry
        )
        self.stalls = Counter(
            "creditcore_stalls",
            "Times the event loop stood still for more than 250 ms.",
            registry=registry,
        )
        self.pool_taken, self.pool_size, self.pool_waiting = (
            # Added up over the processes that live.
            Setting(name, help_, ("pool",), multiprocess_mode="livesum", registry=registry)
            for name, help_ in (
                ("creditcore_pool_taken", "Of what there is only so much of, how much is in use."),
                ("creditcore_pool_size", "How much of it there is."),
                ("creditcore_pool_waiting", "How many wait for some of it."),
            )
        )
        self._series: dict[tuple[str, str, str], _Series] = {}

    def ended(self, call: Call, outcome: Outcome, *, charged: Credits) -> None:
        """Count a call that was let in and has ended, well or not."""
        series = self._series_of(call.endpoint, call.model, _outcome_of(outcome))
        series.calls.inc()
        series.seconds.observe(outcome.latency_ms / _MILLISECONDS)
        if outcome.first_byte_ms is not None:
            series.first_byte.observe(outcome.first_byte_ms / _MILLISECONDS)
        if outcome.usage is not None:
            series.input.inc(outcome.usage.prompt_tokens)
            series.output.inc(outcome.usage.completion_tokens)
        if charged:
            series.charged.inc(charged.microcredits / _MICROCREDITS)

    def stalled(self) -> None:
        """Count a time that the event loop stood still."""
        self.stalls.inc()

    def pools(self, uses: Iterable[PoolUse]) -> None:
        """Keep how far the pools of this process are taken now."""
        for use in uses:
            self.pool_taken.labels(use.name).set(use.taken)
            self.pool_size.labels(use.name).set(use.size)
            self.pool_waiting.labels(use.name).set(use.waiting)

    def scrape(self, gauges: Iterable[Gauge]) -> bytes:
        """Return everything as text, all processes of this host together."""
        registry = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        asked = CollectorRegistry()
        asked.register(_Now(gauges))
        return generate_latest(registry) + generate_latest(asked)

    def _series_of(self, endpoint: str, model: str, outcome: str) -> _Series:
        name = (endpoint, model, outcome)
        series = self._series.get(name)
        if series is None:
            if len(self._series) >= _MAX_SERIES:
                model = "other"
            series = self._series[endpoint, model, outcome] = _Series(
                self, endpoint, model, outcome
            )
        return series


class _Now:
    """Gauges, as a collector."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = list(gauges)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for gauge in self._gauges:
            names = [label for label, _ in gauge.labels]
            family = families.setdefault(
                gauge.name, GaugeMetricFamily(gauge.name, gauge.help, labels=names)
            )
            family.add_metric([value for _, value in gauge.labels], gauge.value)
        return families.values()


def _outcome_of(outcome: Outcome) -> str:
    if outcome.status == CLIENT_LEFT:
        return "cancelled"
    if outcome.status >= _ERRORS_FROM or not outcome.status:
        return "failed"
    return "done"
