"""The statement of a wallet: what was there, what came and went, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise, starmap

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.ledger import Transfer
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Span, day_start
from creditcore.ports.store_ports import HasStatements
from creditcore.ports.transactions import Begins

MAX_LINES = 10_000
_MAX_PERIOD = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedDay:
    """How many calls ended on one day, and what they cost."""

    day: date
    calls: int
    charged: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A period of a wallet: ``opening + added - spent = closing``, exactly.

    Attributes:
        first, last: The days of the period, both included, in the person's zone.
        movements: What came and went beside calls, oldest first.
        days: Days on which calls were charged; they begin as those of ``Period`` do, save that
            the first and the last of them end exactly with the statement.
    """

    first: date
    last: date
    wallet_id: str
    opening: Credits
    movements: tuple[Transfer, ...]
    days: tuple[ChargedDay, ...]
    closing: Credits

    @property
    def added(self) -> Credits:
        """What the movements add up to, which may be below zero."""
        return sum((self.signed(transfer) for transfer in self.movements), ZERO)

    @property
    def spent(self) -> Credits:
        """What the calls cost."""
        return sum((day.charged for day in self.days), ZERO)

    def signed(self, transfer: Transfer) -> Credits:
        """Return a movement as the wallet felt it."""
        comes = transfer.to_account == self.wallet_id
        return transfer.amount if comes else ZERO - transfer.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteStatement:
    """Write the statement of any days, as of one instant."""

    transactions: Begins[HasStatements]

    def write(self, wallet_id: str, *, first: date, last: date, zone: tzinfo) -> Statement:
        """Return the statement of a period, whose days are cut in a zone.

        Raises:
            InvalidRequestError: The period ends before it begins, is longer than a year, or
                has more lines than a statement may.
            WalletNotFoundError: No wallet has this id.
        """
        if not timedelta(0) <= last - first < _MAX_PERIOD:
            raise InvalidRequestError(
                "A statement covers from one day to a year, and ends after it begins.", param="from"
            )
        since, until = _start(first, zone), _start(last + timedelta(days=1), zone)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        marks = [since, *(day_start(day, zone) for day in days[1:]), until]
        with self.transactions.begin() as tx:
            opening = tx.statements.posted_at(wallet_id, since)
            closing = tx.statements.posted_at(wallet_id, until)
            movements = tx.statements.movements(
                wallet_id, since=since, until=until, limit=MAX_LINES + 1
            )
            charges = tx.statements.charges(wallet_id, list(starmap(Span, pairwise(marks))))
        if len(movements) > MAX_LINES:
            raise InvalidRequestError("That is too much for one statement: choose fewer days.")
        return Statement(
            first=first,
            last=last,
            wallet_id=wallet_id,
            opening=opening,
            movements=tuple(movements),
            days=tuple(
                ChargedDay(day=day, calls=ended.calls, charged=ended.charged)
                for day, ended in zip(days, charges, strict=True)
                if ended.charged
            ),
            closing=closing,
        )


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
