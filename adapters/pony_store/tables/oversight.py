"""Reads over all wallets, for operators. Each list and each search has an index of its own.

Sums read whole tables of people's wallets and of the hours of a period, so that an operator who
shows them keeps them for a while.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.endings import Ending
from creditcore.domain.errors import WebhookNotFoundError
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import TransferKind, Wallet
from creditcore.domain.money import Credits, div_ceil
from creditcore.domain.periods import Span
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.usage_hours import FIGURES, NOTHING_USED, Tally
from creditcore.ports.calls import Place
from creditcore.ports.oversight import (
    Account,
    Found,
    InboxDepth,
    OpenHolds,
    OpenPayments,
    Takings,
    TeamAccount,
    WalletTotals,
    WantedFailures,
)
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.usage_hours import ErrorCount

from ..instants import instant_or_none, micros
from ..session import Session, flat, tuples
from .endings import CONDITIONS, ERROR
from .holds import hold_from_row
from .ledger import SELECT_HOLDS
from .oversight_search import OversightSearch
from .payment_events import PAYMENT_EVENT_COLUMNS, payment_event_from_row
from .people import person_from_row
from .purchases import purchase_from_row
from .teams import team_from_row
from .usage_blocks import LENGTHS, span_marks
from .usage_failures import failures_in
from .usage_figures import ALL_CALLS_BY_SPAN, HOUR_MICROS, ROLLED_UNTIL

_BESIDE_CALLS = "kind NOT IN ('charge', 'write_off')"
_CREDITED = "state IN ('paid', 'reversed')"
_PAID_IN = f"{_CREDITED} AND paid_minor_units IS NOT NULL"
_NAMES = ", ".join(FIGURES)
_SUMS = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in FIGURES)


class PonyOversight:
    """Reads over all wallets."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def totals(self) -> WalletTotals:
        [row] = self._session.rows(
            "SELECT COUNT(*) AS wallets, CAST(COALESCE(SUM(posted), 0) AS BIGINT) AS posted,"
            " CAST(COALESCE(SUM(held), 0) AS BIGINT) AS held,"
            " CAST(COALESCE(SUM(owed), 0) AS BIGINT) AS owed FROM wallets"
        )
        return WalletTotals(
            wallets=row.wallets,
            posted=Credits(row.posted),
            held=Credits(row.held),
            owed=Credits(row.owed),
        )

    def credits_in(self, span: Span | None = None) -> Mapping[TransferKind, Credits]:
        within, values = _within("at", span)
        rows = self._session.rows(
            "SELECT kind, CAST(SUM(CASE WHEN to_account = wallet_id THEN amount"
            " WHEN from_account = wallet_id THEN -amount ELSE 0 END) AS BIGINT) AS amount"
            f" FROM transfers WHERE {_BESIDE_CALLS}{within} GROUP BY kind",
            values,
        )
        return {TransferKind(row.kind): Credits(row.amount) for row in rows}

    def takings(self, span: Span | None = None) -> Sequence[Takings]:
        within, values = _within("closed_at", span)
        paid = self._session.rows(
            "SELECT paid_currency AS currency, COUNT(*) AS payments,"
            " CAST(SUM(paid_minor_units) AS BIGINT) AS paid,"
            " CAST(SUM(value_minor_units) AS BIGINT) AS cents"
            f" FROM transactions WHERE {_PAID_IN}{within} GROUP BY paid_currency",
            values,
        )
        within, values = _within("r.created_at", span)
        back = self._session.rows(
            "SELECT r.currency AS currency, CAST(SUM(r.minor_units) AS BIGINT) AS refunded,"
            " CAST(SUM(r.minor_units * p.value_minor_units / p.paid_minor_units) AS BIGINT)"
            " AS cents FROM refunds r JOIN transactions p ON p.paystack_ref = r.purchase_ref"
            f" WHERE r.state <> 'failed' AND p.paid_minor_units > 0{within} GROUP BY r.currency",
            values,
        )
        found: dict[str, Takings] = {
            row.currency: Takings(
                currency=row.currency, payments=row.payments, paid=row.paid, value_cents=row.cents
            )
            for row in paid
        }
        for row in back:
            had = found.get(row.currency) or Takings(currency=row.currency, payments=0, paid=0)
            found[row.currency] = Takings(
                currency=had.currency,
                payments=had.payments,
                paid=had.paid,
                value_cents=had.value_cents,
                refunded=row.refunded,
                refunded_cents=row.cents,
            )
        return [found[currency] for currency in sorted(found)]

    def usage(self, spans: Sequence[Span]) -> Sequence[Mapping[str, Tally]]:
        found: list[dict[str, Tally]] = [{} for _ in spans]
        if spans:
            marks = span_marks(spans)
            rows = self._session.rows(
                f"WITH spans AS (SELECT column1 AS span, column2 AS since, column3 AS until"
                f" FROM (VALUES {tuples(marks)}) AS given)"
                f" SELECT span, model, {_SUMS} FROM ({ALL_CALLS_BY_SPAN}) AS used"
                " GROUP BY span, model",
                flat(marks),
            )
            for row in rows:
                found[row.span][row.model] = _tally(row)
        return found

    def failures(self, spans: Sequence[Span]) -> Sequence[ErrorCount]:
        return failures_in(self._session, spans, "", "", ()) if spans else []

    def failed_calls(
        self, wanted: WantedFailures, *, limit: int, before: Place | None = None
    ) -> Sequence[Hold]:
        within, values = _within("closed_at", wanted.span)
        earlier, place = _before("closed_at", "id", before)
        for column, name in (("COALESCE(model, '')", wanted.model), (ERROR, wanted.error)):
            if name is not None:
                within += f" AND {column} = ?"
                values = (*values, name)
        rows = self._session.rows(
            f"{SELECT_HOLDS} WHERE {CONDITIONS[Ending.FAILED]}{within}{earlier}"
            " ORDER BY closed_at DESC, id DESC LIMIT ?",
            (*values, *place, limit),
        )
        return [hold_from_row(row) for row in rows]

    def active_wallets(self, span: Span) -> int:
        since, until = micros(span.since), micros(span.until)
        [row] = self._session.rows(
            "SELECT COUNT(*) AS number FROM ("
            " SELECT wallet_id FROM usage_hourly WHERE hour >= ? AND hour < ? AND calls > 0"
            " UNION SELECT wallet_id FROM usage_logs WHERE closed_at >= ? AND closed_at < ?"
            f" AND closed_at >= {ROLLED_UNTIL}) AS active",
            (since, until, since, until),
        )
        return int(row.number)

    def open_holds(self) -> OpenHolds:
        [row] = self._session.rows(
            "SELECT COUNT(*) AS number, MIN(created_at) AS oldest FROM usage_logs"
            " WHERE state = 'open'"
        )
        return OpenHolds(number=row.number, oldest_at=instant_or_none(row.oldest))

    def inbox(self) -> InboxDepth:
        [row] = self._session.rows(
            "SELECT COUNT(*) AS waiting, MIN(received_at) AS oldest,"
            " (SELECT MAX(received_at) FROM payment_events) AS latest FROM payment_events"
            " WHERE due_at IS NOT NULL"
        )
        return InboxDepth(
            waiting=row.waiting,
            oldest_received_at=instant_or_none(row.oldest),
            latest_received_at=instant_or_none(row.latest),
        )

    def open_payments(self) -> OpenPayments:
        [row] = self._session.rows(
            "SELECT COUNT(*) AS number, MIN(created_at) AS oldest FROM transactions"
            " WHERE state = 'pending'"
        )
        return OpenPayments(number=row.number, oldest_at=instant_or_none(row.oldest))

    def accounts(self, *, limit: int, before: Place | None = None) -> Sequence[Account]:
        earlier, values = _before("p.created_at", "p.id", before)
        rows = self._session.rows(
            "SELECT p.*, w.id AS wallet_id, w.posted, w.held, w.owed FROM profiles p"
            f" LEFT JOIN wallets w ON w.owner_id = p.id WHERE 1 = 1{earlier}"
            " ORDER BY p.created_at DESC, p.id DESC LIMIT ?",
            (*values, limit),
        )
        return [
            Account(
                person_from_row(row),
                None if row.wallet_id is None else _wallet(row),
            )
            for row in rows
        ]

    def teams(self, *, limit: int, before: Place | None = None) -> Sequence[TeamAccount]:
        earlier, values = _before("t.created_at", "t.id", before)
        rows = self._session.rows(
            "SELECT t.*, w.id AS wallet_id, w.posted, w.held, w.owed,"
            " (SELECT COUNT(*) FROM team_members m WHERE m.team_id = t.id) AS members"
            f" FROM teams t JOIN wallets w ON w.owner_id = t.id WHERE 1 = 1{earlier}"
            " ORDER BY t.created_at DESC, t.id DESC LIMIT ?",
            (*values, limit),
        )
        return [TeamAccount(team_from_row(row), _wallet(row), row.members) for row in rows]

    def used_by(self, wallet_ids: Collection[str], *, since: datetime) -> Mapping[str, Tally]:
        first, day = micros(since), LENGTHS[0]
        first_day = div_ceil(first, day * HOUR_MICROS) * day * HOUR_MICROS
        # The hours of the day that it begins within, and whole days from then on.
        rows = self._session.rows_in(
            f"""
            WITH wanted AS (SELECT id FROM wallets WHERE id IN ({{names}}))
            SELECT wallet_id, {_SUMS} FROM (
                SELECT wallet_id, {_NAMES} FROM wanted JOIN usage_hourly ON wallet_id = id
                WHERE hour >= {first:d} AND hour < {first_day:d}
                UNION ALL
                SELECT wallet_id, {_NAMES} FROM wanted JOIN usage_blocks ON wallet_id = id
                WHERE hours = {day:d} AND begins >= {first_day:d}
            ) AS used GROUP BY wallet_id
            """,
            wallet_ids,
        )
        return {row.wallet_id: _tally(row) for row in rows}

    def purchases(
        self, *, limit: int, before: Place | None = None, state: PurchaseState | None = None
    ) -> Sequence[Purchase]:
        earlier, values = _before("created_at", "paystack_ref", before)
        chosen, which = ("", ()) if state is None else (" AND state = ?", (state.value,))
        rows = self._session.rows(
            f"SELECT * FROM transactions WHERE 1 = 1{chosen}{earlier}"
            " ORDER BY created_at DESC, paystack_ref DESC LIMIT ?",
            (*which, *values, limit),
        )
        return [purchase_from_row(row) for row in rows]

    def events(
        self, *, limit: int, before: Place | None = None, only_waiting: bool = False
    ) -> Sequence[PaymentEvent]:
        earlier, values = _before("received_at", "digest", before)
        chosen = " AND due_at IS NOT NULL" if only_waiting else ""
        rows = self._session.rows(
            f"SELECT {', '.join(PAYMENT_EVENT_COLUMNS)} FROM payment_events WHERE 1 = 1"
            f"{chosen}{earlier} ORDER BY received_at DESC, digest DESC LIMIT ?",
            (*values, limit),
        )
        return [payment_event_from_row(row) for row in rows]

    def event(self, digest: str) -> PaymentEvent:
        rows = []
        if "\0" not in digest:
            rows = self._session.rows(
                f"SELECT {', '.join(PAYMENT_EVENT_COLUMNS)} FROM payment_events WHERE digest = ?",
                (digest,),
            )
        if not rows:
            raise WebhookNotFoundError(digest)
        return payment_event_from_row(rows[0])

    def search(self, text: str, *, limit: int) -> Sequence[Found]:
        return OversightSearch(self._session).search(text, limit=limit)


def _wallet(row: Any) -> Wallet:
    return Wallet(
        id=row.wallet_id,
        owner_id=row.id,
        posted=Credits(row.posted),
        held=Credits(row.held),
        owed=Credits(row.owed),
    )


def _tally(row: Any) -> Tally:
    return Tally(**{name: getattr(row, name) for name in FIGURES}) if row else NOTHING_USED


def _within(column: str, span: Span | None) -> tuple[str, tuple[object, ...]]:
    if span is None:
        return "", ()
    return f" AND {column} >= ? AND {column} < ?", (micros(span.since), micros(span.until))


def _before(column: str, name: str, place: Place | None) -> tuple[str, tuple[object, ...]]:
    if place is None:
        return "", ()
    # A comparison of rows: both databases read it from the index.
    return f" AND ({column}, {name}) < (?, ?)", (micros(place.created_at), place.reference)
