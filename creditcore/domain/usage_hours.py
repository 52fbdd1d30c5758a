"""What a wallet used in an hour: figures that add, and from which percentiles can be read.

Calls are counted in the hour of UTC in which they ended, as the statement counts their
charge. Everything here can be added over hours, keys and models; means and percentiles
cannot, so how long calls took is kept as a histogram.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import add, attrgetter
from typing import Self

from creditcore.domain.endings import Ending, ending_of
from creditcore.domain.holds import Hold
from creditcore.domain.money import Credits, div_ceil, div_floor

HOUR = timedelta(hours=1)

BOUNDS_MS = (
    *(10, 13, 16, 20, 26, 33, 42, 53, 68, 86, 109, 139, 176, 224, 285, 361, 459, 583, 741, 941),
    *(1195, 1518, 1928, 2449, 3111, 3952, 5020, 6376, 8099, 10288, 13067, 16598, 21083, 26780),
    *(34016, 43207, 54881, 69710, 88546, 112471, 142861, 181463, 230494, 292774, 371882, 472366),
    600_000,
)
"""The largest duration of each bucket but the last, 10 ms to 600 s, 27 % apart.

Written out, since what is stored depends on them: 10 x 60000^(i/46), rounded.
"""

BUCKETS = len(BOUNDS_MS) + 1
_LANE_BYTES = 5
_LANE_BITS = 8 * _LANE_BYTES
_LANE_MASK = (1 << _LANE_BITS) - 1

SPEED_FROM_TOKENS = 16
"""Fewer tokens than this say nothing about how fast a stream writes."""


def hour_of(instant: datetime) -> datetime:
    """Return the beginning of an instant's hour in UTC."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many calls took how long, in logarithmic buckets.

    The counts are lanes of 40 bits in one integer: adding two histograms is adding two
    integers, which a page does for thousands of hours.

    Attributes:
        lanes: The counts, that of the shortest durations lowest.
    """

    lanes: int = 0

    @classmethod
    def of(cls, durations_ms: Iterable[int]) -> Self:
        """Count durations, in milliseconds."""
        return cls(sum(1 << (_LANE_BITS * bucket_of(ms)) for ms in durations_ms))

    @classmethod
    def counted(cls, counts: Iterable[tuple[int, int]]) -> Self:
        """Return a histogram of (bucket, count) pairs."""
        return cls(sum(count << (_LANE_BITS * bucket) for bucket, count in counts))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return what ``pack`` made into bytes."""
        return cls(int.from_bytes(packed, "little"))

    def pack(self) -> bytes:
        """Return the histogram as bytes: five to a bucket, none after the last that counts."""
        return self.lanes.to_bytes(div_floor(self.lanes.bit_length() + 7, 8), "little")

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.lanes + other.lanes)

    @property
    def counts(self) -> tuple[int, ...]:
        """The count of each bucket."""
        return tuple((self.lanes >> (_LANE_BITS * at)) & _LANE_MASK for at in range(BUCKETS))

    @property
    def total(self) -> int:
        """How many durations were counted."""
        return sum(self.counts)

    def percentile(self, percent: int) -> int | None:
        """Return the duration in milliseconds that so many percent did not exceed.

        Within its bucket it is where it would be if the bucket's calls were spread evenly:
        at most 27 % off. None where nothing was counted.
        """
        [found] = self.percentiles(percent)
        return found

    def percentiles(self, *percents: int) -> list[int | None]:
        """Return several, for which the buckets are read once."""
        counts = self.counts
        total = sum(counts)
        return [_percentile(counts, total, percent) if total else None for percent in percents]


NOTHING_TIMED = Histogram()


def _percentile(counts: Sequence[int], total: int, percent: int) -> int:
    # The rank of the call it is, from 1: rounded up, so that 50 of 2 is the first.
    rank = max(1, -(-total * percent // 100))
    below = 0
    for (low, high), count in zip(pairwise((0, *BOUNDS_MS)), counts, strict=False):
        if below + count >= rank:
            # Rounded up: a bucket begins above its lower bound.
            return low + div_ceil((high - low) * (rank - below), count)
        below += count
    return BOUNDS_MS[-1]


def bucket_of(duration_ms: int) -> int:
    """Return the number of the bucket that counts a duration."""
    return bisect_left(BOUNDS_MS, duration_ms)


@dataclass(frozen=True, slots=True)
class Tally:
    """What calls came to. Tallies add.

    Attributes:
        calls: Calls that ended, however they did.
        failed, cancelled: Those of them that did not answer, or whose caller left.
        refused_402, refused_429, refused_other: Calls that never began, by status: too few
            credits, too many calls, anything else. They are no part of ``calls``.
        prompt_tokens: All tokens read, cached and cache-writing ones included.
        cache_write_tokens: Written to a cache, for any time.
        completion_tokens: All tokens written, reasoning included.
        charge, written_off: Microcredits.
        provider_cost_picodollars: Before markup, in 10^-12 USD.
        streamed_tokens, streaming_ms: Output of streams long enough to say how fast they are,
            and how long they wrote it.
    """

    calls: int = 0
    failed: int = 0
    cancelled: int = 0
    refused_402: int = 0
    refused_429: int = 0
    refused_other: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    charge: int = 0
    written_off: int = 0
    provider_cost_picodollars: int = 0
    streamed_tokens: int = 0
    streaming_ms: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*map(add, figures(self), figures(other)))

    @property
    def done(self) -> int:
        """Calls that were answered."""
        return self.calls - self.failed - self.cancelled

    @property
    def refused(self) -> int:
        """Calls that never began."""
        return self.refused_402 + self.refused_429 + self.refused_other

    @property
    def tokens(self) -> int:
        """All tokens, read and written."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def charged(self) -> Credits:
        """What was taken from the wallet."""
        return Credits(self.charge)

    @property
    def success_per_mille(self) -> int | None:
        """How many of a thousand calls that no client cancelled were answered, rounded down."""
        judged = self.calls - self.cancelled
        return div_floor(1000 * (judged - self.failed), judged) if judged else None

    @property
    def cached_per_mille(self) -> int | None:
        """How much of a thousand prompt tokens came from a cache, rounded down."""
        if not self.prompt_tokens:
            return None
        return div_floor(1000 * self.cached_tokens, self.prompt_tokens)

    @property
    def tokens_per_second(self) -> int | None:
        """How fast streams wrote, rounded down."""
        if not self.streaming_ms:
            return None
        return div_floor(1000 * self.streamed_tokens, self.streaming_ms)

    @property
    def microcredits_per_million_tokens(self) -> int | None:
        """What a million tokens came to, read or written, rounded down."""
        return div_floor(self.charge * 1_000_000, self.tokens) if self.tokens else None


NOTHING_USED = Tally()

FIGURES = tuple(field.name for field in fields(Tally))
"""The names of what a tally counts, in the order of its columns."""

figures = attrgetter(*FIGURES)


def total(tallies: Iterable[Tally]) -> Tally:
    """Add up tallies; thousands of them many times as fast as one after the other."""
    return Tally(*map(sum, zip(*map(figures, tallies), strict=True)))


@dataclass(frozen=True, slots=True)
class Timing:
    """How long calls took.

    Attributes:
        latency: From admission to the last byte, of calls that were answered.
        first_byte: From admission to the first byte, of streams.
    """

    latency: Histogram = NOTHING_TIMED
    first_byte: Histogram = NOTHING_TIMED

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.latency + other.latency, self.first_byte + other.first_byte)


NOTHING_MEASURED = Timing()


def tally_of(hold: Hold) -> Tally:
    """Return what one call that has ended counts for."""
    usage = hold.outcome.usage
    ending = ending_of(hold)
    streamed_tokens, streaming_ms = _stream_of(hold)
    return Tally(
        calls=1,
        failed=int(ending is Ending.FAILED),
        cancelled=int(ending is Ending.CANCELLED),
        prompt_tokens=usage.prompt_tokens if usage else 0,
        cached_tokens=usage.cached_tokens if usage else 0,
        cache_write_tokens=usage.cache_write_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        reasoning_tokens=usage.reasoning_tokens if usage else 0,
        charge=hold.charged.microcredits,
        written_off=hold.written_off.microcredits,
        provider_cost_picodollars=hold.outcome.provider_cost_picodollars,
        streamed_tokens=streamed_tokens,
        streaming_ms=streaming_ms,
    )


def timing_of(hold: Hold) -> Timing:
    """Return how long one call took; nothing where that would say nothing."""
    if ending_of(hold) is not Ending.DONE:
        return NOTHING_MEASURED
    outcome = hold.outcome
    streamed = hold.call is not None and hold.call.stream and outcome.first_byte_ms is not None
    return Timing(
        Histogram.of([outcome.latency_ms] if outcome.latency_ms else []),
        Histogram.of([outcome.first_byte_ms or 0] if streamed else []),
    )


def _stream_of(hold: Hold) -> tuple[int, int]:
    outcome, usage = hold.outcome, hold.outcome.usage
    if (
        usage is None
        or hold.call is None
        or not hold.call.stream
        or outcome.first_byte_ms is None
        or usage.completion_tokens < SPEED_FROM_TOKENS
        or outcome.latency_ms <= outcome.first_byte_ms
        or ending_of(hold) is not Ending.DONE
    ):
        return 0, 0
    return usage.completion_tokens, outcome.latency_ms - outcome.first_byte_ms
