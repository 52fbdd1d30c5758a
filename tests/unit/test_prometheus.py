"""Figures of calls: counted by model, route and outcome, and by nothing that names anybody."""

from __future__ import annotations

from adapters.prometheus import PrometheusMetrics
from creditcore import Basis, Credits, Usage
from creditcore.domain.holds import Call, Outcome
from creditcore.ports.metrics import Gauge, PoolUse

CALL = Call(model="demo", endpoint="/v1/chat/completions", key_id="key-of-somebody")
DONE = Outcome(
    basis=Basis.PROVIDER_USAGE,
    usage=Usage(prompt_tokens=11, completion_tokens=3),
    status=200,
    latency_ms=700,
    first_byte_ms=90,
)


def lines(metrics: PrometheusMetrics, *gauges: Gauge) -> list[str]:
    return metrics.scrape(gauges).decode().splitlines()


def test_a_call_is_counted_once_in_each_figure() -> None:
    metrics = PrometheusMetrics()

    metrics.ended(CALL, DONE, charged=Credits(1_500_000))

    told = lines(metrics)
    labels = 'endpoint="/v1/chat/completions",model="demo",outcome="done"'
    assert f"creditcore_calls_total{{{labels}}} 1.0" in told
    assert 'creditcore_tokens_total{model="demo",side="input"} 11.0' in told
    assert 'creditcore_tokens_total{model="demo",side="output"} 3.0' in told
    assert 'creditcore_charged_credits_total{model="demo"} 1.5' in told
    assert 'creditcore_call_seconds_sum{endpoint="/v1/chat/completions"} 0.7' in told
    assert 'creditcore_first_byte_seconds_count{endpoint="/v1/chat/completions"} 1.0' in told
    assert not any("somebody" in line for line in told)


def test_a_call_is_counted_in_the_bucket_of_its_time() -> None:
    metrics = PrometheusMetrics()

    for milliseconds in (50, 51, 600_000, 600_001):
        metrics.ended(CALL, Outcome(status=200, latency_ms=milliseconds), charged=Credits(0))

    labels = 'endpoint="/v1/chat/completions",le='
    told = lines(metrics)
    for bound, count in (("0.05", 1), ("0.1", 2), ("300.0", 2), ("600.0", 3), ("+Inf", 4)):
        assert f'creditcore_call_seconds_bucket{{{labels}"{bound}"}} {count}.0' in told


def test_what_is_told_twice_was_counted_once() -> None:
    metrics = PrometheusMetrics()
    metrics.ended(CALL, DONE, charged=Credits(1))
    metrics.pools([])
    before = lines(metrics)

    assert lines(metrics) == before
    metrics.ended(CALL, DONE, charged=Credits(1))
    assert 'creditcore_tokens_total{model="demo",side="input"} 22.0' in lines(metrics)


def test_calls_end_in_three_ways() -> None:
    metrics = PrometheusMetrics()

    for status in (200, 499, 502, 0):
        metrics.ended(CALL, Outcome(status=status), charged=Credits(0))

    counts = [line for line in lines(metrics) if line.startswith("creditcore_calls_total")]
    assert sorted((line.split('outcome="')[1].split('"')[0], line[-3:]) for line in counts) == [
        ("cancelled", "1.0"),
        ("done", "1.0"),
        ("failed", "2.0"),
    ]


def test_the_number_of_series_is_bounded() -> None:
    metrics = PrometheusMetrics()

    for number in range(3_000):
        call = Call(model=f"model-{number}", endpoint="/v1/embeddings")
        metrics.ended(call, DONE, charged=Credits(1))

    counts = [line for line in lines(metrics) if line.startswith("creditcore_calls_total")]
    assert len(counts) <= 2_001
    [others] = [line for line in counts if 'model="other"' in line]
    assert others.endswith(" 1000.0")


def test_gauges_are_of_the_moment_and_stalls_are_counted() -> None:
    metrics = PrometheusMetrics()
    metrics.stalled()

    told = lines(
        metrics,
        Gauge("creditcore_jobs_waiting", "Jobs that wait.", 3, (("kind", "send_mail"),)),
        Gauge("creditcore_jobs_waiting", "Jobs that wait.", 1, (("kind", "roll_up"),)),
    )

    assert "creditcore_stalls_total 1.0" in told
    assert 'creditcore_jobs_waiting{kind="send_mail"} 3.0' in told
    assert 'creditcore_jobs_waiting{kind="roll_up"} 1.0' in told


def test_pools_are_as_they_were_measured_last() -> None:
    metrics = PrometheusMetrics()
    for taken in (4, 5):
        metrics.pools([PoolUse(name="database", taken=taken, size=5, waiting=2)])

    told = lines(metrics)

    assert 'creditcore_pool_taken{pool="database"} 5.0' in told
    assert 'creditcore_pool_size{pool="database"} 5.0' in told
    assert 'creditcore_pool_waiting{pool="database"} 2.0' in told
