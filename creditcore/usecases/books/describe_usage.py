"""Say what a wallet used: for a period, and how long its balance lasts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from itertools import pairwise
from typing import Protocol

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


class DescribeUsageTransaction(HasCalls, HasUsageHours, Protocol):
    """What a report of usage reads."""


# Without slots, so that sums which a page asks for many times are kept.
@dataclass(frozen=True)
class SlotUsage:
    """What was used in one slot of a period.

    Attributes:
        tallies: By key and model.
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
        before: What was used in the same length of time before it.
        oldest_call: When the first call that ended in it began; None where none did.
        as_of: When this was true.
        failures, refusals: Calls that failed and that were refused, by the number of their slot;
            where they were asked for.
    """

    period: Period
    slots: Sequence[SlotUsage]
    before: Tally
    oldest_call: datetime | None
    as_of: datetime
    failures: Sequence[ErrorCount] = ()
    refusals: Sequence[ErrorCount] = ()

    @cached_property
    def total(self) -> Tally:
        """All of it."""
        return total(slot.tally for slot in self.slots)

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
        grouped: defaultdict[str, list[Tally]] = defaultdict(list)
        for slot in self.slots:
            for name, tally in slot.tallies.items():
                grouped[part(name)].append(tally)
        found = ((name, total(tallies)) for name, tallies in grouped.items())
        return dict(sorted(found, key=lambda item: (-item[1].charge, -item[1].calls, item[0])))


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

    def describe(self, whose: UsageOf, period: Period) -> UsageReport:
        """Return what was used in a period and before it, how long calls took, what failed."""
        with self.transactions.begin() as tx:
            return self._report(tx, whose, period)

    def add_up(self, whose: UsageOf, period: Period, *, by_model: bool = False) -> UsageReport:
        """Return what was used in a period, by model or in all; nothing is compared with it."""
        spans = [slot.span for slot in period.slots]
        with self.transactions.begin() as tx:
            shares = tx.usage_hours.shares(whose, spans, by_key=False, by_model=by_model)
        slots = [SlotUsage(slot, _by_name(shares, at)) for at, slot in enumerate(period.slots)]
        return UsageReport(period, slots, NOTHING_USED, _oldest(shares), self.clock.now())

    def by_endpoint(self, wallet_id: str, period: Period) -> UsageReport:
        """Return what calls of each route came to; its name stands where that of a model does."""
        found: list[dict[tuple[str, str], Tally]] = [{} for _ in period.slots]
        with self.transactions.begin() as tx:
            for share in tx.usage_hours.endpoints(wallet_id, [it.span for it in period.slots]):
                found[share.span]["", share.endpoint] = share.tally
        slots = [SlotUsage(slot, used) for slot, used in zip(period.slots, found, strict=True)]
        return UsageReport(period, slots, NOTHING_USED, None, self.clock.now())

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
        slots = [
            SlotUsage(slot, _by_name(shares, spans.index(slot.span))) for slot in fortnight.slots
        ]
        during = [share for share in shares if spans[share.span].since >= month.span.since]
        before = [share for share in shares if spans[share.span].until <= last_month.until]
        before = [share for share in before if spans[share.span].since >= last_month.since]
        by_key: defaultdict[str, list[Tally]] = defaultdict(list)
        for share in during:
            by_key[key_or_none(share.key_id)].append(share.tally)
        return AtHome(
            days=UsageReport(fortnight, slots, NOTHING_USED, None, now),
            today=slots[-1].tally,
            month=_sum(during),
            last_month=_sum(before),
            last_month_span=last_month,
            by_key={key_id: total(tallies) for key_id, tallies in by_key.items()},
            runway=lasts,
            has_called=has_called,
        )

    def runway(self, wallet: Wallet) -> Runway:
        """Return how long a balance lasts."""
        with self.transactions.begin() as tx:
            return self._runway(tx, wallet)

    def _report(self, tx: DescribeUsageTransaction, whose: UsageOf, period: Period) -> UsageReport:
        spans = [period.before, *(slot.span for slot in period.slots)]
        shares = tx.usage_hours.shares(whose, spans)
        timings = tx.usage_hours.timings(whose, spans[1:])
        found: list[dict[tuple[str, str], Tally]] = [{} for _ in spans]
        for share in shares:
            found[share.span][share.key_id, share.model] = share.tally
        slots = [
            SlotUsage(slot, used, timing)
            for slot, used, timing in zip(period.slots, found[1:], timings, strict=True)
        ]
        oldest = _oldest(share for share in shares if share.span)
        failures = tx.usage_hours.failures(whose, spans[1:])
        refusals = tx.usage_hours.refusals(whose, spans[1:])
        before = total(found[0].values())
        return UsageReport(period, slots, before, oldest, self.clock.now(), failures, refusals)

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


def _by_name(shares: Sequence[Share], span: int) -> dict[tuple[str, str], Tally]:
    return {(each.key_id, each.model): each.tally for each in shares if each.span == span}


def _oldest(shares: Iterable[Share]) -> datetime | None:
    return min((share.oldest_call for share in shares if share.oldest_call), default=None)


def _sum(shares: Sequence[Share]) -> Tally:
    return total(share.tally for share in shares)


def _tallies(shares: Sequence[Share], count: int) -> list[Tally]:
    return [total(share.tally for share in shares if share.span == at) for at in range(count)]
