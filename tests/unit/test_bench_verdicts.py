"""What the benchmark calls shown has to be shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.calls import CallsRound
from bench.limits import LimitsCost, measure_limits
from bench.machine import BusyLoops
from bench.results import Results
from bench.verdicts import MET, NOT_MET, UNKNOWN, Verdict, verdicts

ONE_ROUND = CallsRound(
    target="postgres",
    concurrency=32,
    rate=1_000.0,
    p50_ms=30.0,
    p99_ms=60.0,
    bad=0,
    calls=5_000,
    cpu_per_1000=0.8,
    database_cpu_per_1000=0.2,
    memory_mb=80.0,
    stall_ms=50.0,
    target_cores=1.0,
    generator_cores=0.1,
    standin_cores=0.1,
    other_cores=0.1,
)
RATE = "calls/s at 32: at least 1.8 x portkey"
LATENCY = "median added latency at 1: below portkey's"
FAILURES = "no plain call fails"
TWO_PROCESSES = "two processes: at least 1.6 x one, where cores are left"


def verdict(promise: str, *rounds: CallsRound, two_loops: float = 2.0) -> Verdict:
    results = Results({}, BusyLoops(1e7, two_loops), calls=list(rounds))
    (found,) = (found for found in verdicts(results) if found.promise == promise)
    return found


@pytest.mark.parametrize(("rate", "expected"), [(555.0, MET), (556.0, NOT_MET)])
def test_a_ratio_is_met_from_its_bound_on(rate: float, expected: str) -> None:
    portkey = replace(ONE_ROUND, target="portkey", rate=rate)

    assert verdict(RATE, ONE_ROUND, portkey).verdict == expected


@pytest.mark.parametrize(("rate", "expected"), [(1_030.0, MET), (1_031.0, NOT_MET)])
def test_a_version_is_held_against_the_one_before(rate: float, expected: str) -> None:
    before = replace(ONE_ROUND, target="before", rate=rate)

    found = verdict("calls/s at 32: at most 3 % fewer than before", ONE_ROUND, before)

    assert found.verdict == expected


def test_what_was_not_measured_is_not_met_either() -> None:
    assert verdict(RATE, ONE_ROUND).verdict == UNKNOWN
    assert verdict(LATENCY).verdict == UNKNOWN
    assert verdict(FAILURES).verdict == UNKNOWN


def test_a_ratio_is_one_of_medians() -> None:
    portkey = [replace(ONE_ROUND, target="portkey", rate=rate) for rate in (100.0, 900.0, 600.0)]

    found = verdict(RATE, ONE_ROUND, *portkey)

    assert found == Verdict(RATE, "1.7 x (1,000 against 600)", NOT_MET)


def test_latency_counts_from_what_a_call_takes_without_a_gateway() -> None:
    alone = replace(ONE_ROUND, concurrency=1)
    direct = replace(alone, target="direct", p50_ms=0.5)

    found = verdict(
        LATENCY,
        replace(alone, p50_ms=2.0),
        replace(alone, target="portkey", p50_ms=3.0),
        direct,
    )

    assert found == Verdict(LATENCY, "1.5 ms against 2.5 ms", MET)


def test_calls_that_fail_fast_are_not_fast_calls() -> None:
    found = verdict(FAILURES, ONE_ROUND, replace(ONE_ROUND, bad=1))

    assert found == Verdict(FAILURES, "1 of 10,000 failed", NOT_MET)


@pytest.mark.parametrize(
    ("rate", "two_loops", "others", "expected"),
    [
        (1_600.0, 2.0, 0.1, MET),
        (1_599.0, 2.0, 0.1, NOT_MET),
        # The machine itself cannot do it: half cores, or none left.
        (1_599.0, 1.5, 0.1, UNKNOWN),
        (1_599.0, 2.0, 0.8, UNKNOWN),
    ],
)
def test_two_processes_are_held_to_what_the_machine_can_do(
    monkeypatch: pytest.MonkeyPatch, rate: float, two_loops: float, others: float, expected: str
) -> None:
    monkeypatch.setattr("bench.verdicts.os.cpu_count", lambda: 2)
    twice = replace(ONE_ROUND, target="postgres-2", rate=rate, other_cores=others)

    assert verdict(TWO_PROCESSES, ONE_ROUND, twice, two_loops=two_loops).verdict == expected


OBSERVED = "calls/s at 32 with copies of keys and figures: at most 3 % fewer than without"
LIMITED = "calls/s at 32 with every limit on: at least 0.85 x without"
PLAIN = "a key without limits: they cost at most 2% of a call's CPU"


@pytest.mark.parametrize(("rate", "expected"), [(850.0, MET), (849.0, NOT_MET)])
def test_every_limit_may_cost_a_seventh(rate: float, expected: str) -> None:
    limited = replace(ONE_ROUND, target="limited", rate=rate)

    assert verdict(LIMITED, ONE_ROUND, limited).verdict == expected
    assert verdict(LIMITED, ONE_ROUND).verdict == UNKNOWN


@pytest.mark.parametrize(("rate", "expected"), [(970.0, MET), (969.0, NOT_MET)])
def test_copies_of_keys_and_figures_may_cost_three_calls_in_a_hundred(
    rate: float, expected: str
) -> None:
    without = replace(ONE_ROUND, target="unobserved")
    observed = replace(ONE_ROUND, target="observed", rate=rate)

    assert verdict(OBSERVED, without, observed).verdict == expected
    assert verdict(OBSERVED, observed).verdict == UNKNOWN
    assert OBSERVED not in {it.promise for it in verdicts(Results({}, BusyLoops(1e7, 2.0)))}


@pytest.mark.parametrize(("plain_us", "expected"), [(16.0, MET), (16.1, NOT_MET)])
def test_limits_that_a_key_has_not_cost_next_to_nothing(plain_us: float, expected: str) -> None:
    results = Results({}, BusyLoops(1e7, 2.0), calls=[ONE_ROUND])
    results.limits = LimitsCost(plain_us=plain_us, limited_us=50.0)

    (found,) = (found for found in verdicts(results) if found.promise == PLAIN)

    assert found.verdict == expected


def test_the_cost_of_limits_is_measured_with_and_without() -> None:
    cost = measure_limits()

    assert 0 < cost.plain_us < cost.limited_us
