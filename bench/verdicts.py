"""What must be shown, and whether this run shows it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bench.figures import Figure
from bench.ledger import CLIENTS
from bench.pages import MOST_MS
from bench.results import Results
from bench.streams import IDLE_STREAMS, PACED_STREAMS

MET, NOT_MET, UNKNOWN = "met", "not met", "not measured"

_OURS, _TWICE, _LIMITED = "postgres", "postgres-2", "limited"
_TIMES_PORTKEY = 1.8
_TIMES_LITELLM = 25.0
_TIMES_ONE_PROCESS = 1.6
_TIMES_PGBENCH = 3.0
_LIMITED_RATIO = 0.85
_OBSERVED_RATIO = 0.97
_BEFORE_RATIO = 0.97
_PLAIN_SHARE = 0.02
_IDLE_STREAM_KB = 100.0
_STALL_MS = 250.0
_GROWTH_RATIO = 0.9
_NO_CORES_LEFT = 0.93


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise.

    Attributes:
        promise: What must be shown.
        measured: What this run measured.
        verdict: Whether that is enough.
    """

    promise: str
    measured: str
    verdict: str

    def as_document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)


def verdicts(results: Results) -> list[Verdict]:
    """Hold a run against every promise."""
    return [
        *_of_calls(results),
        *_of_before(results),
        *_of_limits(results),
        *_of_observing(results),
        *_of_streams(results),
        _two_processes(results),
        _of_ledger(results),
        *_of_stalls(results),
        *_of_growth(results),
        *_of_pages(results),
        *_of_books(results),
    ]


def _of_calls(results: Results) -> Iterator[Verdict]:
    def figure(target: str, concurrency: int, name: str) -> Figure | None:
        return results.call_figure(target, concurrency, name)

    ours = figure(_OURS, 32, "rate")
    for peer, least in (("portkey", _TIMES_PORTKEY), ("litellm", _TIMES_LITELLM)):
        promise = f"calls/s at 32: at least {least:g} x {peer}"
        yield _times(promise, ours, figure(peer, 32, "rate"), least=least)
    direct = figure("direct", 1, "p50_ms")
    promise = "median added latency at 1: below portkey's"
    yield _below(promise, figure(_OURS, 1, "p50_ms"), figure("portkey", 1, "p50_ms"), less=direct)
    promise = "p99 at 32: below portkey's"
    yield _below(promise, figure(_OURS, 32, "p99_ms"), figure("portkey", 32, "p99_ms"))
    # An error is answered faster than a call.
    rounds = [found for found in results.calls if found.target in (_OURS, _TWICE)]
    bad, calls = (sum(getattr(found, name) for found in rounds) for name in ("bad", "calls"))
    yield Verdict(
        "no plain call fails",
        f"{bad:,} of {calls:,} failed" if calls else "",
        _verdict(bad == 0) if calls else UNKNOWN,
    )


def _of_before(results: Results) -> Iterator[Verdict]:
    # Measured only when named.
    before, now = (results.call_figure(target, 32, "rate") for target in ("before", _OURS))
    if before:
        promise = "calls/s at 32: at most 3 % fewer than before"
        yield _times(promise, now, before, least=_BEFORE_RATIO, digits=3)


def _of_limits(results: Results) -> Iterator[Verdict]:
    plain, limited = (results.call_figure(target, 32, "rate") for target in (_OURS, _LIMITED))
    promise = f"calls/s at 32 with every limit on: at least {_LIMITED_RATIO:g} x without"
    yield _times(promise, limited, plain, least=_LIMITED_RATIO, digits=2)
    promise = f"a key without limits: they cost at most {_PLAIN_SHARE:.0%} of a call's CPU"
    cpu, cost = results.call_figure(_OURS, 32, "cpu_per_1000"), results.limits
    if cpu is None or cost is None:
        yield Verdict(promise, "", UNKNOWN)
        return
    call_us = cpu.median * 1000
    measured = f"{cost.plain_us:.1f} of {call_us:,.0f} us ({cost.plain_us / call_us:.1%})"
    yield Verdict(promise, measured, _verdict(cost.plain_us <= call_us * _PLAIN_SHARE))


def _of_observing(results: Results) -> Iterator[Verdict]:
    # Measured only when named.
    without, observed = (
        results.call_figure(target, 32, "rate") for target in ("unobserved", "observed")
    )
    if without or observed:
        promise = "calls/s at 32 with copies of keys and figures: at most 3 % fewer than without"
        yield _times(promise, observed, without, least=_OBSERVED_RATIO, digits=3)


def _of_streams(results: Results) -> Iterator[Verdict]:
    # Fewer streams offer less than that many times what the peer carries.
    most = max(PACED_STREAMS)
    promise = f"events/s of {most} streams: at least {_TIMES_LITELLM:g} x litellm"
    ours, peer = (
        results.stream_figure(target, "paced", most, "events_per_s")
        for target in (_OURS, "litellm")
    )
    yield _times(promise, ours, peer, least=_TIMES_LITELLM)
    rounds = results.streams_of(_OURS, "paced", most)
    bad = sum(found.bad + found.unfinished for found in rounds)
    finished = sum(found.finished for found in rounds)
    yield Verdict(
        f"{most} concurrent streams: no error",
        f"{bad} of {bad + finished} did not finish as they should" if rounds else "",
        _verdict(bad == 0 and finished > 0) if rounds else UNKNOWN,
    )
    memory = results.stream_figure(_OURS, "idle", IDLE_STREAMS, "memory_kb_per_stream")
    yield Verdict(
        f"memory of an idle stream: below {_IDLE_STREAM_KB:g} KB",
        f"{memory.median:.0f} KB" if memory else "",
        _verdict(memory.median < _IDLE_STREAM_KB) if memory else UNKNOWN,
    )


def _two_processes(results: Results) -> Verdict:
    promise = f"two processes: at least {_TIMES_ONE_PROCESS:g} x one, where cores are left"
    twice, once = (results.call_figure(target, 32, "rate") for target in (_TWICE, _OURS))
    found = _times(promise, twice, once, least=_TIMES_ONE_PROCESS)
    if found.verdict != NOT_MET:
        return found
    if results.loops.two_at_once < _TIMES_ONE_PROCESS:
        why = f"two loops that share nothing do {results.loops.two_at_once:.2f} x one here"
        return Verdict(promise, f"{found.measured}; {why}", UNKNOWN)
    cores = os.cpu_count() or 1
    busy = [found.busy_cores / cores for found in results.calls_of(_TWICE, 32)]
    if busy and max(busy) > _NO_CORES_LEFT:
        return Verdict(promise, f"{found.measured}; all {cores} cores were busy", UNKNOWN)
    return found


def _of_ledger(results: Results) -> Verdict:
    promise = f"ledger pairs/s: at least {_TIMES_PGBENCH:g} x pgbench -N, one connection each"
    pairs, pgbench = (results.ledger_figure(name) for name in ("pairs", "pgbench"))
    return _times(promise, pairs, pgbench, least=_TIMES_PGBENCH)


def _of_stalls(results: Results) -> Iterator[Verdict]:
    stalls = [
        (found.stall_ms, f"{found.target}, {found.concurrency} calls")
        for found in results.calls
        if found.stall_ms is not None and found.target != "before"
    ] + [
        (found.stall_ms, f"{found.target}, {found.streams} {found.load} streams")
        for found in results.streams
        if found.stall_ms is not None
    ]
    worst, where = max(stalls, default=(0.0, ""))
    yield Verdict(
        f"no event-loop stall above {_STALL_MS:g} ms",
        f"worst {worst:.0f} ms ({where})" if stalls else "",
        _verdict(worst <= _STALL_MS) if stalls else UNKNOWN,
    )


def _of_growth(results: Results) -> Iterator[Verdict]:
    # With fewer keys than callers, the steps of a transaction share wallets: less to write.
    steps = [step for step in results.growth if step.keys >= CLIENTS] or results.growth
    if steps:
        first, *later = steps
        slowest = min((step.pairs_per_s for step in later), default=first.pairs_per_s)
        ratio = slowest / first.pairs_per_s
        biggest = steps[-1]
        yield Verdict(
            "the hot path does not slow down as data grows",
            f"{ratio:.2f} x that of {first.keys:,} keys,"
            f" up to {biggest.keys:,} keys and {biggest.calls:,} calls",
            _verdict(ratio >= _GROWTH_RATIO),
        )


def _of_pages(results: Results) -> Iterator[Verdict]:
    for calls in sorted({found.calls for found in results.pages}):
        found = [each for each in results.pages if each.calls == calls]
        slow = [each for each in found if each.p95_ms >= MOST_MS]
        slowest = max(found, key=lambda each: each.p95_ms)
        yield Verdict(
            f"every page below {MOST_MS:g} ms at p95 with {calls:,} calls",
            f"{len(found) - len(slow)} of {len(found)} are;"
            f" slowest {slowest.p95_ms:.0f} ms ({slowest.page})",
            _verdict(not slow),
        )


def _of_books(results: Results) -> Iterator[Verdict]:
    if results.audits:
        broken = {name: said for name, said in results.audits.items() if said != "clean"}
        yield Verdict(
            "the books are exact after all of it",
            str(broken or ", ".join(f"{name}: clean" for name in results.audits)),
            _verdict(not broken),
        )


def _times(
    promise: str,
    ours: Figure | None,
    other: Figure | None,
    *,
    least: float,
    digits: int = 1,
) -> Verdict:
    ratio = ours.over(other) if ours else None
    if ours is None or other is None or ratio is None:
        return Verdict(promise, "", UNKNOWN)
    measured = f"{ratio:.{digits}f} x ({ours.median:,.0f} against {other.median:,.0f})"
    return Verdict(promise, measured, _verdict(ratio >= least))


def _below(
    promise: str, ours: Figure | None, other: Figure | None, *, less: Figure | None = None
) -> Verdict:
    if ours is None or other is None:
        return Verdict(promise, "", UNKNOWN)
    base = less.median if less else 0.0
    mine, theirs = ours.median - base, other.median - base
    return Verdict(promise, f"{mine:.1f} ms against {theirs:.1f} ms", _verdict(mine < theirs))


def _verdict(kept: bool) -> str:  # noqa: FBT001 - it is what the name says
    return MET if kept else NOT_MET
