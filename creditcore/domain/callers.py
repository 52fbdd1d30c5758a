"""Who is held to limits: a key, or a person who calls without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.limits import (
    NO_LIMITS,
    Count,
    KeyLimits,
    Whose,
    account_counter_id,
    count_of_member,
    member_counter_id,
)


class Limited(Protocol):
    """A caller as limits see it; an ``ApiKey`` is one."""

    @property
    def wallet_id(self) -> str:
        """Whose credits its calls spend."""

    @property
    def counter_id(self) -> str:
        """Names what it has used of limits of its own."""

    @property
    def limits(self) -> KeyLimits:
        """Limits of its own."""

    @property
    def account_limits(self) -> KeyLimits:
        """Limits that it shares with all other callers of its wallet."""

    @property
    def counts(self) -> tuple[Count, ...]:
        """The counts that its calls go into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutKey:
    """A person who is signed in and calls without a key, as the playground does.

    Attributes:
        wallet_id: Whose credits the calls spend: the person's, or a team's.
        account_limits: What all callers of the wallet may use together.
        member_id: Who calls, where the wallet is a team's and its members have limits.
    """

    wallet_id: str
    account_limits: KeyLimits = NO_LIMITS
    member_id: str = ""

    @property
    def counter_id(self) -> str:
        """It has no limits of its own, so nothing is counted under this name."""
        return ""

    @property
    def limits(self) -> KeyLimits:
        """It has no limits of its own."""
        return NO_LIMITS

    @property
    def counts(self) -> tuple[Count, ...]:
        """The account's, where it limits spend or parallel calls, and the member's."""
        shared = Count(account_counter_id(self.wallet_id), self.account_limits, Whose.ACCOUNT)
        limited = (shared,) if self.account_limits.is_counted else ()
        return (*limited, count_of_member(self.member_counter_id)) if self.member_id else limited

    @property
    def member_counter_id(self) -> str:
        """Names what the member has used of the team's wallet; empty for a person's own."""
        return member_counter_id(self.wallet_id, self.member_id) if self.member_id else ""
