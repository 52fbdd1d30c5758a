"""Counters and histograms of calls, and gauges that are read when they are asked for.

With ``PROMETHEUS_MULTIPROC_DIR`` set, as ``gunicorn.conf.py`` does, each process counts in files of
its own, which are added up at each scrape. What calls add up to is written there every two seconds,
and by the process that answers a scrape just before. No name of a person, key or call is ever a
label: there is one series for each model and outcome, and no more.
"""

from __future__ import annotations

import os
from bisect import bisect_left
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

from adapters.prometheus.figure_files import share_figures_in_whole_files
from creditcore.domain.endings import CLIENT_LEFT
from creditcore.domain.holds import Call, Outcome
from creditcore.domain.money import Credits
from creditcore.ports.metrics import Gauge, PoolUse

_ERRORS_FROM = 400
_MILLISECONDS = 1000
_MICROCREDITS = 1_000_000
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_BOUNDS_MS = tuple(round(seconds * _MILLISECONDS) for seconds in _SECONDS)
_MAX_SERIES = 2_000
"""Models beyond that are counted as ``other``: their names come from LiteLLM's list."""


class _ManyAtOnce(Histogram):
    """A histogram that takes what others have counted into its buckets."""

    def add(self, counts: Iterable[int], total: float) -> None:
        """Add so many observations to each bucket, which come to ``total`` together."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


class _Times:
    """How long calls of one route took, kept here until they are counted."""

    def __init__(self, histogram: _ManyAtOnce) -> None:
        self._histogram = histogram
        self._start()

    def _start(self) -> None:
        self._total_ms = 0
        self._counts = [0] * (len(_SECONDS) + 1)

    def observe(self, milliseconds: int) -> None:
        """Note a call."""
        self._total_ms += milliseconds
        self._counts[bisect_left(_BOUNDS_MS, milliseconds)] += 1

    def count(self) -> None:
        """Hand over what has come together since the last time."""
        counts, total_ms = self._counts, self._total_ms
        self._start()
        if any(counts):
            self._histogram.add(counts, total_ms / _MILLISECONDS)


class _Series:
    """The figures of one model on one route with one outcome, looked up once.

    What is added up by calls is kept here first: a counter that several processes share costs
    each call more than all that leads to it.
    """

    def __init__(self, metrics: PrometheusMetrics, endpoint: str, model: str, outcome: str) -> None:
        self.seconds, self.first_byte = metrics.times_of(endpoint)
        self.calls = self.input = self.output = self.charged = 0
        self._counters = (
            metrics.calls.labels(endpoint, model, outcome),
            metrics.tokens.labels(model, "input"),
            metrics.tokens.labels(model, "output"),
            metrics.charged.labels(model),
        )

    def count(self) -> None:
        """Hand over what has come together since the last time."""
        found = (self.calls, self.input, self.output, self.charged / _MICROCREDITS)
        self.calls = self.input = self.output = self.charged = 0
        for counter, amount in zip(self._counters, found, strict=True):
            if amount:
                counter.inc(amount)


class PrometheusMetrics:
    """What this process has carried."""

    def __init__(self) -> None:
        """Start from nothing; in one process several of these count apart."""
        share_figures_in_whole_files()
        registry = self._registry = CollectorRegistry()
        self.calls = Counter(
            "creditcore_calls",
            "Calls that were let in and have ended.",
            ("endpoint", "model", "outcome"),
            registry=registry,
        )
        self.seconds = _ManyAtOnce(
            "creditcore_call_seconds",
            "From admission to the last byte.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.first_byte = _ManyAtOnce(
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
        self._times: dict[str, tuple[_Times, _Times]] = {}

    def ended(self, call: Call, outcome: Outcome, *, charged: Credits) -> None:
        """Count a call that was let in and has ended, well or not."""
        series = self._series_of(call.endpoint, call.model, _outcome_of(outcome))
        series.calls += 1
        series.charged += charged.microcredits
        series.seconds.observe(outcome.latency_ms)
        if outcome.first_byte_ms is not None:
            series.first_byte.observe(outcome.first_byte_ms)
        if outcome.usage is not None:
            series.input += outcome.usage.prompt_tokens
            series.output += outcome.usage.completion_tokens

    def stalled(self) -> None:
        """Count a time that the event loop stood still."""
        self.stalls.inc()

    def pools(self, uses: Iterable[PoolUse]) -> None:
        """Keep how far the pools of this process are taken now, and what its calls added up to."""
        self._count()
        for use in uses:
            self.pool_taken.labels(use.name).set(use.taken)
            self.pool_size.labels(use.name).set(use.size)
            self.pool_waiting.labels(use.name).set(use.waiting)

    def scrape(self, gauges: Iterable[Gauge]) -> bytes:
        """Return everything as text, all processes of this host together."""
        self._count()
        registry = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        asked = CollectorRegistry()
        asked.register(_Now(gauges))
        return generate_latest(registry) + generate_latest(asked)

    def _count(self) -> None:
        for series in list(self._series.values()):
            series.count()
        for both in list(self._times.values()):
            for times in both:
                times.count()

    def times_of(self, endpoint: str) -> tuple[_Times, _Times]:
        """Return those of whole calls and of first bytes on a route, which its series share."""
        if endpoint not in self._times:
            whole, first = (each.labels(endpoint) for each in (self.seconds, self.first_byte))
            self._times[endpoint] = (_Times(whole), _Times(first))
        return self._times[endpoint]

    def _series_of(self, endpoint: str, model: str, outcome: str) -> _Series:
        name = (endpoint, model, outcome)
        if name not in self._series and len(self._series) >= _MAX_SERIES:
            name = (endpoint, "other", outcome)
        series = self._series.get(name)
        if series is None:
            series = self._series[name] = _Series(self, *name)
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
