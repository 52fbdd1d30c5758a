"""Calls, to be read. They are written with the ledger, as holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from creditcore.domain.endings import Ending
from creditcore.domain.holds import Hold, HoldState
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Span
from creditcore.domain.runaway import MinuteSpend


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls are asked for; None asks for all.

    Attributes:
        failed: Those that ended with an error, or those that did not.
        since, until: When they began: from an instant on, up to and without another.
    """

    key_id: str | None = None
    model: str | None = None
    endpoint: str | None = None
    state: HoldState | None = None
    failed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


ALL_CALLS = CallFilter()


class Place(NamedTuple):
    """Where a call stands in a list: no two stand in the same place."""

    created_at: datetime
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCalls:
    """Which calls of a wallet are asked for.

    Attributes:
        key_id: As in ``UsageOf``: ``NO_KEY`` asks for calls that were made without one.
        ending: How they ended; None for all.
        error: What those that failed failed by; empty for all.
        at_least: The least that they were charged.
        ended: When they ended, which is when they were charged. One that still runs is in it
            if it began there.
        began_from: No call that is asked for began earlier: this is where reading stops.
        search: The beginning of their id.
    """

    wallet_id: str
    key_id: str | None = None
    model: str | None = None
    ending: Ending | None = None
    error: str = ""
    at_least: Credits = ZERO
    ended: Span | None = None
    began_from: datetime | None = None
    search: str = ""


class Calls(Protocol):
    """Inference calls of a wallet: each is the hold that was made for it."""

    def recent(self, wallet_id: str, *, limit: int) -> Sequence[Hold]:
        """Return the latest calls, newest first."""

    def page_of(
        self,
        wallet_id: str,
        *,
        limit: int,
        which: CallFilter = ALL_CALLS,
        before: tuple[datetime, str] | None = None,
    ) -> Sequence[Hold]:
        """Return some calls, newest first: those made before an instant and reference."""

    def spend_by_minute(
        self, wallet_id: str, counter_id: str, *, since: datetime, until: datetime
    ) -> Sequence[MinuteSpend]:
        """Return what the calls of a key, with all its rotated secrets, were charged, by minute.

        Of calls that ended from an instant on and before another; the earliest minute first.
        Minutes without a charge are left out.
        """

    def older(
        self, wanted: WantedCalls, *, than: Place | None = None, limit: int
    ) -> Sequence[Hold]:
        """Return the latest of some calls, or those before a place; newest first."""

    def newer(self, wanted: WantedCalls, *, than: Place, limit: int) -> Sequence[Hold]:
        """Return those of some calls that come next after a place; newest first."""

    def began_back(
        self, wallet_id: str, *, calls: int, than: Place | None = None
    ) -> datetime | None:
        """Return when a call began that so many stand before: in all, or beyond a place.

        None where a wallet has no more than those.
        """

    def first_began_at(self, wallet_id: str) -> datetime | None:
        """Return when the first call of a wallet began; None where there is none."""

    def find(self, reference: str, *, wallet_id: str) -> Hold:
        """Return one call of this wallet.

        Raises:
            HoldNotFoundError: The wallet has no such call.
        """

    def find_all(self, references: Collection[str]) -> Mapping[str, Hold]:
        """Return the calls of any wallet that have these names, by name."""

    def closed_after(
        self, closed_at: datetime, reference: str, *, before: datetime, limit: int
    ) -> Sequence[Hold]:
        """Return calls of all wallets in the order in which they ended.

        Those come that ended behind a call that ended at ``closed_at``, and before a time; to
        begin at an instant, name it with an empty reference.
        """
