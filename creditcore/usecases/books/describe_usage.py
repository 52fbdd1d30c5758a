"""Say what a wallet used: for a period, and how long its balance lasts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from itertools import pairwise
from typing import Protocol, Self, TypeVar

from creditcore.domain.ledger import Wallet
from creditcore.domain.periods import Period, Slot, Span, day_span, last_days, this_month
from creditcore.domain.runway import Runway, runway
from creditcore.domain.usage_hours import (
    HOUR,
    NOTHING_MEASURED,
    NOTHING_USED,
    Tally,
    Timing,
    hour_of,
    total,
)
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasCalls, HasUsageHours
from creditcore.ports.transactions import Begins
from creditcore.ports.usage_hours import ErrorCount, Share, UsageOf, key_or_none

_DAYS_AT_HOME = 14
_WEEK = timedelta(hours=168)
_DAY = timedelta(hours=24)
_Name = TypeVar("_Name", str, tuple[str, str])


class DescribeUsageTransaction(HasCalls, HasUsageHours, Protocol):
    """What a report of usage reads."""


# Without slots, so that sums which a page asks for many times are kept.
@dataclass(frozen=True)
class SlotUsage:
    """What was used in one slot of a period.

    Attributes:
        tallies: By key and model, as far as they are told apart.
    """

    slot: Slot
    tallies: Mapping[tuple[str, str], Tally]
    timing: Timing = NOTHING_MEASURED

    @cached_property
    def tally(self) -> Tally:
        """All of it."""
        return total(self.tallies.values())


@dataclass(frozen=True)
class UsageReport:
    """What was used in a period.

    Attributes:
        used: What was used in all of it, by key and model as far as they are told apart.
        before: What was used in the same length of time before it.
        oldest_call: When the first call that ended in it began; None where none did.
        as_of: When this was true.
        failures, refusals: Calls that failed and that were refused, by the number of their slot;
            where they were asked for.
    """

    period: Period
    slots: Sequence[SlotUsage]
    used: Mapping[tuple[str, str], Tally]
    before: Tally
    oldest_call: datetime | None
    as_of: datetime
    failures: Sequence[ErrorCount] = ()
    refusals: Sequence[ErrorCount] = ()

    @classmethod
    def of_slots(
        cls,
        period: Period,
        slots: Sequence[SlotUsage],
        *,
        as_of: datetime,
        oldest_call: datetime | None = None,
    ) -> Self:
        """Return a report of its slots, which nothing is compared with."""
        used = _added((name, tally) for slot in slots for name, tally in slot.tallies.items())
        return cls(period, slots, used, NOTHING_USED, oldest_call, as_of)

    @cached_property
    def total(self) -> Tally:
        """All of it."""
        return total(self.used.values())

    @cached_property
    def timing(self) -> Timing:
        """How long calls took in all of it."""
        return sum((slot.timing for slot in self.slots), NOTHING_MEASURED)

    def refused_by_error(self) -> dict[str, int]:
        """Return how many calls each error refused, the most frequent first."""
        found: Counter[str] = Counter()
        for each in self.refusals:
            found[each.error] += each.tally.refused
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def by_key(self) -> dict[str, Tally]:
        """Return what each key used, and what was used without one; the most expensive first."""
        return self._by(lambda name: key_or_none(name[0]))

    def by_caller(self) -> dict[str, Tally]:
        """Return the same, but what was used without a key by the member who used it."""
        return self._by(lambda name: name[0])

    def by_model(self) -> dict[str, Tally]:
        """Return what was used of each model, the most expensive first."""
        return self._by(lambda name: name[1])

    def _by(self, part: Callable[[tuple[str, str]], str]) -> dict[str, Tally]:
        found = _added((part(name), tally) for name, tally in self.used.items())
        return dict(
            sorted(found.items(), key=lambda item: (-item[1].charge, -item[1].calls, item[0]))
        )


@dataclass(frozen=True, slots=True)
class AtHome:
    """What the first page says of a wallet.

    Attributes:
        days: The last fourteen, today last; nothing is compared with them.
        by_key: What each key used this month.
    """

    days: UsageReport
    today: Tally
    month: Tally
    last_month: Tally
    last_month_span: Span
    by_key: Mapping[str, Tally]
    runway: Runway
    has_called: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeUsage:
    """Add up what was used. Reads only."""

    transactions: Begins[DescribeUsageTransaction]
    clock: Clock

    def describe(
        self, whose: UsageOf, period: Period, *, by_key: bool = False, by_model: bool = False
    ) -> UsageReport:
        """Return what was used in a period and before it, how long calls took, what failed.

        All of it is told apart by key and model, each slot only by what is asked for.
        """
        spans = [period.before, *(slot.span for slot in period.slots)]
        with self.transactions.begin() as tx:
            shares = tx.usage_hours.shares(
                whose, spans, by_key=by_key, by_model=by_model, whole=period.span
            )
            timings = tx.usage_hours.timings(whose, spans[1:])
            failures = tx.usage_hours.failures(whose, spans[1:])
            refusals = tx.usage_hours.refusals(whose, spans[1:])
        before, *found, used = _by_span(shares, len(spans) + 1)
        slots = [
            SlotUsage(slot, tallies, timing)
            for slot, tallies, timing in zip(period.slots, found, timings, strict=True)
        ]
        return UsageReport(
            period=period,
            slots=slots,
            used=used,
            before=total(before.values()),
            oldest_call=_oldest(share for share in shares if share.span == len(spans)),
            as_of=self.clock.now(),
            failures=failures,
            refusals=refusals,
        )

    def add_up(self, whose: UsageOf, period: Period, *, by_model: bool = False) -> UsageReport:
        """Return what was used in a period, by model or in all; nothing is compared with it."""
        spans = [slot.span for slot in period.slots]
        with self.transactions.begin() as tx:
            shares = tx.usage_hours.shares(whose, spans, by_key=False, by_model=by_model)
        slots = [
            SlotUsage(slot, tallies)
            for slot, tallies in zip(period.slots, _by_span(shares, len(spans)), strict=True)
        ]
        now, oldest_call = self.clock.now(), _oldest(shares)
        return UsageReport.of_slots(period, slots, as_of=now, oldest_call=oldest_call)

    def by_endpoint(self, wallet_id: str, period: Period) -> UsageReport:
        """Return what calls of each route came to; its name stands where that of a model does."""
        found: list[dict[tuple[str, str], Tally]] = [{} for _ in period.slots]
        with self.transactions.begin() as tx:
            for share in tx.usage_hours.endpoints(wallet_id, [it.span for it in period.slots]):
                found[share.span]["", share.endpoint] = share.tally
        slots = [SlotUsage(slot, used) for slot, used in zip(period.slots, found, strict=True)]
        return UsageReport.of_slots(period, slots, as_of=self.clock.now())

    def at_home(self, wallet: Wallet, zone: tzinfo) -> AtHome:
        """Return what the first page says of a wallet, with days cut in a zone."""
        now = self.clock.now()
        fortnight, month = last_days(_DAYS_AT_HOME, now, zone), this_month(now, zone)
        whose = UsageOf(wallet.id)
        last_month = _month_before(month, zone)
        # Cut once where any of them begins, so that no hour is read twice.
        starts = {
            last_month.since,
            month.span.since,
            *(slot.span.since for slot in fortnight.slots),
        }
        cuts = [*sorted(starts), month.span.until]
        spans = [Span(since, until) for since, until in pairwise(cuts)]
        with self.transactions.begin() as tx:
            shares = tx.usage_hours.shares(whose, spans, by_model=False)
            lasts = self._runway(tx, wallet)
            has_called = tx.calls.first_began_at(wallet.id) is not None
        by_span = _by_span(shares, len(spans))
        slots = [SlotUsage(slot, by_span[spans.index(slot.span)]) for slot in fortnight.slots]
        during = [share for share in shares if spans[share.span].since >= month.span.since]
        before = [share for share in shares if spans[share.span].until <= last_month.until]
        before = [share for share in before if spans[share.span].since >= last_month.since]
        return AtHome(
            days=UsageReport.of_slots(fortnight, slots, as_of=now),
            today=slots[-1].tally,
            month=_sum(during),
            last_month=_sum(before),
            last_month_span=last_month,
            by_key=_added((key_or_none(share.key_id), share.tally) for share in during),
            runway=lasts,
            has_called=has_called,
        )

    def runway(self, wallet: Wallet) -> Runway:
        """Return how long a balance lasts."""
        with self.transactions.begin() as tx:
            return self._runway(tx, wallet)

    def _runway(self, tx: DescribeUsageTransaction, wallet: Wallet) -> Runway:
        now = self.clock.now()
        first_call = tx.calls.first_began_at(wallet.id)
        if first_call is None:
            return Runway()
        end = hour_of(now) + HOUR
        spans = [Span(end - _WEEK, end - _DAY), Span(end - _DAY, end)]
        shares = tx.usage_hours.shares(UsageOf(wallet.id), spans, by_key=False, by_model=False)
        earlier, day = _tallies(shares, 2)
        return runway(wallet.available, week=earlier + day, day=day, first_call=first_call, now=now)


def _month_before(month: Period, zone: tzinfo) -> Span:
    last = month.first - timedelta(days=1)
    return day_span(last.replace(day=1), last, zone)


def _by_span(shares: Sequence[Share], count: int) -> list[dict[tuple[str, str], Tally]]:
    found: list[dict[tuple[str, str], Tally]] = [{} for _ in range(count)]
    for share in shares:
        found[share.span][share.key_id, share.model] = share.tally
    return found


def _added(named: Iterable[tuple[_Name, Tally]]) -> dict[_Name, Tally]:
    """Add up tallies of the same name."""
    grouped: defaultdict[_Name, list[Tally]] = defaultdict(list)
    for name, tally in named:
        grouped[name].append(tally)
    return {name: total(tallies) for name, tallies in grouped.items()}


def _oldest(shares: Iterable[Share]) -> datetime | None:
    return min((share.oldest_call for share in shares if share.oldest_call), default=None)


def _sum(shares: Sequence[Share]) -> Tally:
    return total(share.tally for share in shares)


def _tallies(shares: Sequence[Share], count: int) -> list[Tally]:
    return [total(share.tally for share in shares if share.span == at) for at in range(count)]
