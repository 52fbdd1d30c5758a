"""Usage by the hour, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from creditcore.domain.endings import error_of
from creditcore.domain.holds import Hold
from creditcore.domain.periods import Span
from creditcore.domain.refusals import tally_of_refused
from creditcore.domain.usage_hours import (
    HOUR,
    NOTHING_MEASURED,
    NOTHING_USED,
    Tally,
    Timing,
    hour_of,
    tally_of,
    timing_of,
)
from creditcore.ports.usage_hours import (
    FIGURES_OF_ENDPOINTS,
    FIGURES_OF_FAILED,
    NO_KEY,
    NO_MODEL,
    EndpointShare,
    ErrorCount,
    LastUse,
    RefusalCount,
    Share,
    Step,
    UsageOf,
    is_no_key,
    key_of,
    timing_by_span,
)

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Identity = tuple[str, datetime, str, str]
"""A row's wallet, hour, key and model."""

RefusalIdentity = tuple[str, datetime, str, str, int, str]
"""Of refused calls also the status and the code."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one row keeps."""

    tally: Tally = NOTHING_USED
    timing: Timing = NOTHING_MEASURED
    oldest_call: datetime | None = None

    def __add__(self, other: UsageRow) -> UsageRow:
        calls = [row.oldest_call for row in (self, other) if row.oldest_call is not None]
        return UsageRow(
            self.tally + other.tally, self.timing + other.timing, min(calls, default=None)
        )


NO_ROW = UsageRow()


@dataclass
class MemoryUsageHours:
    """Figures of calls by wallet, hour, key and model.

    Attributes:
        holds: The calls, by reference.
        rows: What is counted, by row.
        rolled: Up to when, under the one name ``until``.
        refused: How many calls were refused, beside what rows say of them.
    """

    holds: Mapping[str, Hold]
    rows: dict[Identity, UsageRow]
    rolled: dict[str, datetime]
    refused: dict[RefusalIdentity, int]

    def rolled_until(self) -> datetime:
        return self.rolled.get("until", NEVER)

    def roll_up(self, *, until: datetime) -> Step:
        begin = self.rolled_until()
        ends = [closed_at for _, closed_at in self._ended() if closed_at >= begin]
        first = min(ends, default=until)
        end = max(begin, min(until, hour_of(first) + HOUR))
        calls = self._count(Span(begin, end))
        self.rolled["until"] = end
        return Step(end, calls)

    def recount(self, hour: datetime) -> int:
        begin = hour_of(hour)
        end = min(begin + HOUR, self.rolled_until())
        if end <= begin:
            return 0
        for name, row in list(self.rows.items()):
            if name[1] == begin:
                refused = replace(
                    NOTHING_USED,
                    refused_402=row.tally.refused_402,
                    refused_429=row.tally.refused_429,
                    refused_other=row.tally.refused_other,
                )
                del self.rows[name]
                if refused.refused:
                    self.rows[name] = UsageRow(refused)
        return self._count(Span(begin, end))

    def differing_hours(self, span: Span, *, limit: int) -> Sequence[datetime]:
        differences: defaultdict[tuple[str, datetime], list[int]] = defaultdict(lambda: [0, 0, 0])

        def add(wallet_id: str, hour: datetime, tally: Tally, sign: int) -> None:
            figures = (tally.calls, tally.charge, tally.written_off)
            before = differences[wallet_id, hour]
            differences[wallet_id, hour] = [
                was + sign * figure for was, figure in zip(before, figures, strict=True)
            ]

        for (wallet_id, hour, _, _), row in self.rows.items():
            add(wallet_id, hour, row.tally, 1)
        for hold, closed_at in self._ended():
            if closed_at < self.rolled_until():
                add(hold.wallet_id, hour_of(closed_at), tally_of(hold), -1)
        first, last = hour_of(span.since), span.until
        found = {hour for (_, hour), left in differences.items() if any(left)}
        return sorted(hour for hour in found if first <= hour < last)[:limit]

    def add_refusals(self, counts: Sequence[RefusalCount]) -> None:
        for count in counts:
            name = (count.wallet_id, count.hour, count.key_id, count.model)
            self._add(name, UsageRow(count.tally))
            alike = (*name, count.status, count.error)
            self.refused[alike] = self.refused.get(alike, 0) + count.calls

    def shares(
        self,
        whose: UsageOf,
        spans: Sequence[Span],
        *,
        by_key: bool = True,
        by_model: bool = True,
        whole: Span | None = None,
    ) -> Sequence[Share]:
        found: dict[tuple[int, str, str], UsageRow] = {}
        for number, key_id, model, row in self._used(whose, [*spans, *([whole] if whole else ())]):
            is_whole = number == len(spans)
            name = (
                number,
                key_id if by_key or is_whole else "",
                model if by_model or is_whole else "",
            )
            found[name] = found.get(name, NO_ROW) + row
        return [Share(*name, row.tally, row.oldest_call) for name, row in found.items()]

    def timings(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[Timing]:
        found: defaultdict[int, Timing] = defaultdict(Timing)
        for number, _, _, row in self._used(whose, spans):
            found[number] += row.timing
        return timing_by_span(found, spans)

    def failures(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        failed = [
            (hold, closed_at)
            for hold, closed_at in self._ended()
            if hold.wallet_id == whose.wallet_id and _is_asked_for(whose, *_key_and_model(hold))
        ]
        return failures_among(failed, spans)

    def refusals(self, whose: UsageOf, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        found = (
            (hour, model, error, tally_of_refused(status, calls))
            for (wallet_id, hour, key_id, model, status, error), calls in self.refused.items()
            if wallet_id == whose.wallet_id and _is_asked_for(whose, key_id, model)
        )
        return _by_error(found, spans)

    def endpoints(self, wallet_id: str, spans: Sequence[Span]) -> Sequence[EndpointShare]:
        found: defaultdict[tuple[int, str], Tally] = defaultdict(lambda: NOTHING_USED)
        for hold, closed_at in self._ended():
            for number, span in enumerate(spans):
                is_in = hold.wallet_id == wallet_id and span.since <= closed_at < span.until
                if is_in and hold.call is not None:
                    found[number, hold.call.endpoint] += _known(tally_of(hold))
        return [EndpointShare(*name, tally) for name, tally in sorted(found.items())]

    def last_uses(self, wallet_id: str) -> Mapping[str, LastUse]:
        everything = Span(NEVER, datetime.max.replace(tzinfo=UTC))
        hours = sorted(
            (hour, model, key_id)
            for hour, key_id, model, row in self._hours(UsageOf(wallet_id), everything)
            if row.tally.calls
        )
        return {key_id: LastUse(hour, model) for hour, model, key_id in hours}

    def _used(
        self, whose: UsageOf, spans: Sequence[Span]
    ) -> Iterator[tuple[int, str, str, UsageRow]]:
        for number, span in enumerate(spans):
            for _, key_id, model, row in self._hours(whose, span):
                yield number, key_id, model, row

    def _hours(self, whose: UsageOf, span: Span) -> Iterator[tuple[datetime, str, str, UsageRow]]:
        """Return rows of hours, and calls that no row counts yet, as if each were one."""
        rows = [
            (wallet_id, hour, hour, key_id, model, row)
            for (wallet_id, hour, key_id, model), row in self.rows.items()
        ]
        rows += [
            (hold.wallet_id, closed_at, hour_of(closed_at), *_key_and_model(hold), _row_of(hold))
            for hold, closed_at in self._ended()
            if closed_at >= self.rolled_until()
        ]
        for wallet_id, at, hour, key_id, model, row in rows:
            if (
                wallet_id == whose.wallet_id
                and _is_asked_for(whose, key_id, model)
                and span.since <= at < span.until
            ):
                yield hour, key_id, model, row

    def _ended(self) -> Iterator[tuple[Hold, datetime]]:
        for hold in self.holds.values():
            if hold.closed_at is not None:
                yield hold, hold.closed_at

    def _count(self, span: Span) -> int:
        calls = 0
        for hold, closed_at in self._ended():
            if span.since <= closed_at < span.until:
                name = (hold.wallet_id, hour_of(closed_at), *_key_and_model(hold))
                self._add(name, _row_of(hold))
                calls += 1
        return calls

    def _add(self, name: Identity, row: UsageRow) -> None:
        self.rows[name] = self.rows.get(name, NO_ROW) + row


def _key_and_model(hold: Hold) -> tuple[str, str]:
    return key_of(hold), _model_of(hold)


def _is_asked_for(whose: UsageOf, key_id: str, model: str) -> bool:
    is_of_key = whose.key_id in {None, key_id} or (whose.key_id == NO_KEY and is_no_key(key_id))
    return is_of_key and whose.model in {None, model}


def failures_among(
    ended: Iterable[tuple[Hold, datetime]], spans: Sequence[Span]
) -> list[ErrorCount]:
    """Count calls that failed, by span, model and error."""
    failed = (
        (closed_at, _model_of(hold), error, _of_failed(hold))
        for hold, closed_at in ended
        if (error := error_of(hold))
    )
    return _by_error(failed, spans)


def _by_error(
    found: Iterable[tuple[datetime, str, str, Tally]], spans: Sequence[Span]
) -> list[ErrorCount]:
    counted: defaultdict[tuple[int, str, str], Tally] = defaultdict(Tally)
    for at, model, error, tally in found:
        for number, span in enumerate(spans):
            if span.since <= at < span.until:
                counted[number, model, error] += tally
    return [ErrorCount(*name, tally) for name, tally in counted.items()]


def _of_failed(hold: Hold) -> Tally:
    tally = tally_of(hold)
    return Tally(**{name: getattr(tally, name) for name in FIGURES_OF_FAILED})


def _model_of(hold: Hold) -> str:
    return hold.call.model if hold.call else NO_MODEL


def _row_of(hold: Hold) -> UsageRow:
    return UsageRow(tally_of(hold), timing_of(hold), hold.created_at)


def _known(tally: Tally) -> Tally:
    return Tally(**{name: getattr(tally, name) for name in FIGURES_OF_ENDPOINTS})
