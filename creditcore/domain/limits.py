"""What an API key may do, and the count of what it, or a member of a team, has used.

Spend and parallel calls are counted in a ``KeyCounter``, a row under the lock of the
wallet, so that no host admits one call too many. Requests and tokens per minute are
counted outside the books (``creditcore.ports.rate_counters``). A key has limits of its own,
and shares those of its account with all other keys of the same wallet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import MAX_INT64, ZERO, Credits

MAX_RATE = 60_000_000
"""Requests or tokens per minute; with more, a limit limits nothing."""

MAX_PARALLEL = 100_000
MAX_LISTED = 100
"""Models, and addresses, that one key may name."""

_MAX_NAME_LENGTH = 200
_START = datetime(1970, 1, 1, tzinfo=UTC)


class Period(StrEnum):
    """How long credits count towards a spend limit."""

    TOTAL = "total"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLimit:
    """The most that may be spent in each period.

    Attributes:
        credits: Spent and held together never exceed it.
        period: Days, weeks (from Monday) and months of the calendar; or all time.
        zone: The IANA name of the zone whose calendar it is.
    """

    credits: Credits
    period: Period = Period.TOTAL
    zone: str = "UTC"
    _current: tuple[datetime, datetime] = field(
        init=False, repr=False, compare=False, default=(_START, _START)
    )

    def __post_init__(self) -> None:
        if self.credits < ZERO:
            raise InvalidRequestError("A spend limit is not negative.", param="spend_limit.credits")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidRequestError(
                f"There is no time zone {self.zone!r}; use a name such as Africa/Nairobi.",
                param="spend_limit.zone",
            ) from None

    def starts_at(self, now: datetime) -> datetime:
        """Return when the period began that ``now`` is in."""
        if self.period is Period.TOTAL:
            return _START
        return self._around(now)[0]

    def ends_at(self, now: datetime) -> datetime | None:
        """Return when the period ends that ``now`` is in; None for all time."""
        if self.period is Period.TOTAL:
            return None
        return self._around(now)[1]

    def _around(self, now: datetime) -> tuple[datetime, datetime]:
        start, end = self._current
        if not start <= now < end:
            # Each call of a key asks, and the calendar of a zone is slow to read.
            start, end = (self._day(now, periods).astimezone(UTC) for periods in (0, 1))
            object.__setattr__(self, "_current", (start, end))
        return start, end

    def _day(self, now: datetime, periods: int) -> datetime:
        zone = ZoneInfo(self.zone)
        day = now.astimezone(zone).date()
        match self.period:
            case Period.WEEK:
                day += timedelta(days=7 * periods - day.weekday())
            case Period.MONTH:
                months = day.year * 12 + day.month - 1 + periods
                day = day.replace(year=months // 12, month=months % 12 + 1, day=1)
            case _:
                day += timedelta(days=periods)
        return datetime(day.year, day.month, day.day, tzinfo=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLimits:
    """The limits of a key; each is optional.

    Attributes:
        spend: Credits per period.
        max_parallel: Calls that run at the same time.
        rpm, tpm: Requests and tokens per minute.
        models: Names, or beginnings of names that end in ``*``; empty allows all.
        addresses: Networks in CIDR notation that may call; empty allows all.
    """

    spend: SpendLimit | None = None
    max_parallel: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    models: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    _networks: tuple[IPv4Network | IPv6Network, ...] = field(
        init=False, repr=False, compare=False, default=()
    )
    _beginnings: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())
    _last_address: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        _check_number(self.max_parallel, "max_parallel", most=MAX_PARALLEL)
        _check_number(self.rpm, "rpm", most=MAX_RATE)
        _check_number(self.tpm, "tpm", most=MAX_RATE)
        _check_count(self.models, "allowed_models")
        _check_count(self.addresses, "allowed_ips")
        for name in self.models:
            _check_model(name)
        if self.models:
            beginnings = tuple(name[:-1] for name in self.models if name.endswith("*"))
            object.__setattr__(self, "_beginnings", beginnings)
        if self.addresses:
            networks = tuple(_network(text) for text in self.addresses)
            object.__setattr__(self, "_networks", networks)
            object.__setattr__(self, "addresses", tuple(map(str, networks)))

    @property
    def is_counted(self) -> bool:
        """Whether a ``KeyCounter`` is kept for it."""
        return self.spend is not None or self.max_parallel is not None

    @property
    def has_rates(self) -> bool:
        """Whether requests or tokens per minute are limited."""
        return self.rpm is not None or self.tpm is not None

    def permits_model(self, model: str) -> bool:
        """Whether the key may call a model."""
        return not self.models or model.startswith(self._beginnings) or model in self.models

    def permits_address(self, address: str | None) -> bool:
        """Whether a call may come from an address. One that cannot be told is outside."""
        if not self._networks or (address and address == self._last_address):
            return True
        found = _address(address or "")
        if found is None or not any(found in network for network in self._networks):
            return False
        # Most keys call from one address again and again.
        object.__setattr__(self, "_last_address", address)
        return True


class Whose(StrEnum):
    """Whose limit it is."""

    KEY = "key"
    ACCOUNT = "account"
    MEMBER = "member"


class Count(NamedTuple):
    """One count that the calls of a key go into.

    Attributes:
        id: Of its ``KeyCounter``.
        limits: What it is held to, but for a member's, whose count says so itself.
        whose: Of the key and its rotated secrets, of all keys of the wallet, or of its holder.
    """

    id: str
    limits: KeyLimits
    whose: Whose


_ACCOUNT = "account:"
_MEMBER = "member:"


def account_counter_id(wallet_id: str) -> str:
    """Return the name of the count that all keys of a wallet share."""
    return f"{_ACCOUNT}{wallet_id}"


def member_counter_id(wallet_id: str, person_id: str) -> str:
    """Return the name of what a member has used of a team's wallet."""
    return f"{_MEMBER}{wallet_id}:{person_id}"


def member_of(counter_id: str) -> str | None:
    """Return whose count it is, if it is that of a team's member."""
    return counter_id.rpartition(":")[2] if counter_id.startswith(_MEMBER) else None


def is_of_account(counter_id: str) -> bool:
    """Whether a count is the one that all keys of a wallet share."""
    return counter_id.startswith(_ACCOUNT)


class Counted(NamedTuple):
    """Which count a hold went into, so that closing it leaves the same one.

    Attributes:
        counter_id: The counter.
        since: The period in which it was admitted: there its charge belongs.
    """

    counter_id: str
    since: datetime


class KeyCounter(NamedTuple):
    """What the calls of a key, all its rotated secrets together, an account or a member have used.

    Attributes:
        limit: The spend limit, where there is one: a hold that grows looks at no key.
        since: When the period began that ``spent`` counts; a limit that is set later counts
            from then on. It only moves forward, whatever the clocks of hosts do.
        spent: Charges of calls that were admitted in this period.
        held: Open holds, whenever they began.
        open_calls: How many they are.
        period: The period of a member's counter; None for a key's, which the key itself names.
        zone: The calendar that the period follows.
        raised: What was added to the limit for this period alone.
    """

    id: str
    wallet_id: str
    since: datetime
    limit: Credits | None = None
    spent: Credits = ZERO
    held: Credits = ZERO
    open_calls: int = 0
    period: Period | None = None
    zone: str = "UTC"
    raised: Credits = ZERO

    @property
    def calendar(self) -> SpendLimit | None:
        """The limit with its period, of a counter that names one."""
        if self.period is None:
            return None
        return _calendar(self.limit or ZERO, self.period, self.zone)

    def at(self, limit: SpendLimit | None, now: datetime) -> KeyCounter:
        """Return the counter in the period that ``now`` is in."""
        if limit is None or (start := limit.starts_at(now)) <= self.since:
            return self
        return self._replace(since=start, spent=ZERO, raised=ZERO)

    @property
    def room(self) -> Credits | None:
        """What holds may still take; None where spend is not limited."""
        if self.limit is None:
            return None
        # Numbers, not credits: every call of a limited key asks.
        used = self.spent.microcredits + self.held.microcredits
        return Credits(max(0, self.limit.microcredits + self.raised.microcredits - used))

    def opened(self, amount: Credits) -> KeyCounter:
        """Count another hold."""
        return self._with(self.spent, self.held + amount, self.open_calls + 1)

    def grown(self, amount: Credits) -> KeyCounter:
        """Count what a hold has grown by."""
        return self._with(self.spent, self.held + amount, self.open_calls)

    def closed(self, amount: Credits, *, charged: Credits, since: datetime) -> KeyCounter:
        """Count a hold out again, and what it was charged in the period it belongs to."""
        spent = self.spent + charged if since == self.since else self.spent
        return self._with(spent, self.held - amount, self.open_calls - 1)

    def _with(self, spent: Credits, held: Credits, open_calls: int) -> KeyCounter:
        if spent.microcredits < 0 or held.microcredits < 0 or open_calls < 0:
            raise ValueError(f"a counter is never negative: {spent}, {held}, {open_calls}")
        # In the order of the fields: each call of a limited key makes four of these.
        id_, wallet_id, since, limit, *_, period, zone, raised = self
        return KeyCounter(
            id_, wallet_id, since, limit, spent, held, open_calls, period, zone, raised
        )


@lru_cache(maxsize=10_000)
def _calendar(credits_: Credits, period: Period, zone: str) -> SpendLimit:
    """Return a limit; each call of a member asks, and looking a zone up takes a while."""
    return SpendLimit(credits=credits_, period=period, zone=zone)


@lru_cache(maxsize=10_000)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address; the same few call again and again, and reading one takes a while."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _check_number(value: int | None, param: str, *, most: int) -> None:
    if value is not None and (type(value) is not int or not 1 <= value <= min(most, MAX_INT64)):
        raise InvalidRequestError(f"{param} is a whole number from 1 to {most:,}.", param=param)


def _check_count(values: Iterable[str], param: str) -> None:
    if len(tuple(values)) > MAX_LISTED:
        raise InvalidRequestError(f"{param} lists {MAX_LISTED} at most.", param=param)


def _check_model(name: str) -> None:
    is_sound = 1 <= len(name) <= _MAX_NAME_LENGTH and name.isprintable() and name == name.strip()
    if not is_sound or "*" in name[:-1]:
        raise InvalidRequestError(
            "allowed_models are names of models; one may end in * to allow all that begin so.",
            param="allowed_models",
        )


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise InvalidRequestError(
            f"{text!r} is no address; write 203.0.113.7 or 203.0.113.0/24.", param="allowed_ips"
        ) from None


NO_LIMITS = KeyLimits()
"""Of a key that may do all that its wallet affords."""


def count_of_member(counter_id: str) -> Count:
    """Return the count of a member, by its name."""
    return Count(counter_id, NO_LIMITS, Whose.MEMBER)
