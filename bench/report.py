"""The report that people read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.calls import CONCURRENCIES, CallsRound
from bench.figures import Figure
from bench.results import Results
from bench.streams import IDLE_STREAMS, INSTANT_CLIENTS, PACED_STREAMS, StreamsRound
from bench.verdicts import Verdict

_PEERS = ("portkey", "litellm")

_CALLS_HEAD = (
    "target", "at", "calls/s", "±%", "p50 ms", "p99 ms", "bad", "CPU s/1k", "+db", "MB",
    "stall ms", "gen", "stand-in", "others", "x portkey", "x litellm",
)  # fmt: skip
_STREAMS_HEAD = (
    "target", "streams", "events/s", "±%", "first p50", "first p99", "bad", "unfinished",
    "KB/stream", "stall ms", "cores", "stand-in", "others", "x portkey", "x litellm",
)  # fmt: skip
_GROWTH_HEAD = ("keys", "calls", "pairs/s", "x first", "one pair ms")


def report(results: Results, promises: Sequence[Verdict]) -> str:
    """Return all that was found, as text."""
    parts = [
        _machine(results),
        _calls(results),
        _streams(results),
        _ledger(results),
        _growth(results),
        _pages(results),
        _missing(results),
        _promises(promises),
    ]
    return "\n\n".join(part for part in parts if part)


def _machine(results: Results) -> str:
    return "\n".join(f"{name}: {value}" for name, value in results.machine.items())


def _calls(results: Results) -> str:
    rows = [
        _calls_row(results, target, concurrency)
        for concurrency in CONCURRENCIES
        for target in _targets(results.calls)
        if results.calls_of(target, concurrency)
    ]
    title = (
        "Plain calls, by concurrency. Medians of the rounds; ±% is half the distance between"
        " their extremes.\nCPU seconds of the gateway per 1,000 calls, then its database's. gen,"
        " stand-in, others:\ncores that load generator, stand-in and everything else kept busy."
    )
    return _table(title, _CALLS_HEAD, rows)


def _calls_row(results: Results, target: str, concurrency: int) -> list[str]:
    def figure(name: str, of: str = target) -> Figure | None:
        return results.call_figure(of, concurrency, name)

    rate, stall = figure("rate"), figure("stall_ms")
    bad = sum(found.bad for found in results.calls_of(target, concurrency))
    return [
        target,
        str(concurrency),
        _number(rate, 0),
        _spread(rate),
        _number(figure("p50_ms"), 2),
        _number(figure("p99_ms"), 2),
        str(bad),
        _number(figure("cpu_per_1000"), 3),
        _number(figure("database_cpu_per_1000"), 3),
        _number(figure("memory_mb"), 0),
        f"{stall.high:.0f}" if stall else "",
        _number(figure("generator_cores"), 2),
        _number(figure("standin_cores"), 2),
        _number(figure("other_cores"), 2),
        *(_ratio(rate, figure("rate", peer)) for peer in _PEERS),
    ]


def _streams(results: Results) -> str:
    loads = [
        *(("paced", streams) for streams in PACED_STREAMS),
        ("instant", INSTANT_CLIENTS),
        ("idle", IDLE_STREAMS),
    ]
    rows = [
        _streams_row(results, target, load, streams)
        for load, streams in loads
        for target in _targets(results.streams)
        if results.streams_of(target, load, streams)
    ]
    title = (
        "Streams: paced at 50 tokens/s each; instant, all tokens at once, one stream after another;"
        " idle.\nTime from request to first token in ms. KB/stream is what memory grew by. cores,"
        " stand-in,\nothers: cores that the target, the stand-in and everything else kept busy."
    )
    return _table(title, _STREAMS_HEAD, rows)


def _streams_row(results: Results, target: str, load: str, streams: int) -> list[str]:
    def figure(name: str, of: str = target) -> Figure | None:
        return results.stream_figure(of, load, streams, name)

    rounds = results.streams_of(target, load, streams)
    events, stall = figure("events_per_s"), figure("stall_ms")
    idle = load == "idle"
    return [
        target,
        f"{streams} {load}",
        "" if idle else _number(events, 0),
        "" if idle else _spread(events),
        _number(figure("first_p50_ms"), 1),
        _number(figure("first_p99_ms"), 1),
        str(sum(found.bad for found in rounds)),
        # Idle streams are not meant to finish.
        "" if idle else str(sum(found.unfinished for found in rounds)),
        _number(figure("memory_kb_per_stream"), 0) if load != "instant" else "",
        f"{stall.high:.0f}" if stall else "",
        _number(figure("target_cores"), 2),
        _number(figure("standin_cores"), 2),
        _number(figure("other_cores"), 2),
        *("" if idle else _ratio(events, figure("events_per_s", peer)) for peer in _PEERS),
    ]


def _ledger(results: Results) -> str:
    pairs, pgbench, pgbench_8 = (
        results.ledger_figure(name) for name in ("pairs", "pgbench", "pgbench_8")
    )
    if pairs is None or pgbench is None:
        return ""
    rows = [
        ["authorize + settle, 1 connection, 256 clients", *_ledger_cells(pairs, pgbench)],
        ["pgbench -N, 1 connection", *_ledger_cells(pgbench, pgbench)],
        ["pgbench -N, 8 connections", *_ledger_cells(pgbench_8, pgbench)],
    ]
    return _table("The ledger alone, same server, fsync on", ("", "/s", "±%", "x pgbench"), rows)


def _ledger_cells(figure: Figure | None, other: Figure) -> list[str]:
    return [_number(figure, 0), _spread(figure), _ratio(figure, other)]


def _growth(results: Results) -> str:
    if not results.growth:
        return ""
    pages = list(results.growth[0].pages_ms)
    first = results.growth[0].pairs_per_s
    rows = [
        [
            f"{step.keys:,}",
            f"{step.calls:,}",
            f"{step.pairs_per_s:,.0f}",
            f"{step.pairs_per_s / first:.2f}",
            f"{step.pair_ms:.2f}",
            *(f"{step.pages_ms[page]:.2f}" for page in pages),
        ]
        for step in results.growth
    ]
    title = "Growth: the hot path, and in ms the queries of pages, as keys and calls pile up"
    return _table(title, (*_GROWTH_HEAD, *pages), rows)


def _pages(results: Results) -> str:
    rows = [
        [
            found.page,
            f"{found.calls:,}",
            f"{found.p50_ms:.0f}",
            f"{found.p95_ms:.0f}",
            f"{found.most_ms:.0f}",
            f"{found.python_ms:.0f}",
            str(found.kilobytes),
        ]
        for found in sorted(results.pages, key=lambda found: (found.calls, -found.p95_ms))
    ]
    title = (
        "Pages of a customer with half of all calls, on the server, the slowest first, in ms;"
        "\nof them processor time of Python; what each weighs before it is compressed"
    )
    return _table(title, ("page", "calls", "p50", "p95", "most", "Python", "KB"), rows)


def _missing(results: Results) -> str:
    return "\n".join(f"MISSING {name}: {why}" for name, why in results.missing.items())


def _promises(promises: Sequence[Verdict]) -> str:
    rows = [[found.verdict.upper(), found.promise, found.measured] for found in promises]
    return _table("Must be shown", ("", "", ""), rows, right=False)


def _targets(rounds: Sequence[CallsRound] | Sequence[StreamsRound]) -> list[str]:
    return list(dict.fromkeys(found.target for found in rounds))


def _number(figure: Figure | None, digits: int) -> str:
    return f"{figure.median:,.{digits}f}" if figure else ""


def _spread(figure: Figure | None) -> str:
    return f"{figure.spread * 100:.0f}" if figure else ""


def _ratio(figure: Figure | None, other: Figure | None) -> str:
    ratio = figure.over(other) if figure else None
    return f"{ratio:.2f}" if ratio is not None else ""


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = True
) -> str:
    if not rows:
        return ""
    table = [head, *rows] if any(head) else list(rows)
    widths = [max(len(row[at]) for row in table) for at in range(len(head))]
    return "\n".join([title, *_lines(table, widths, right=right)])


def _lines(table: Sequence[Sequence[str]], widths: Sequence[int], *, right: bool) -> Iterator[str]:
    for row in table:
        cells = [
            cell.rjust(width) if right and at > 0 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
