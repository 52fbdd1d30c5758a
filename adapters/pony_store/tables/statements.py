"""A wallet's history, added up by the database.

What calls cost is read from the hours that are rolled up, which are the sum of their calls at any
time; calls themselves only where a stretch begins or ends within an hour. So a month of a million
calls is as quick as one of a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from creditcore.domain.errors import WalletNotFoundError
from creditcore.domain.ledger import Transfer
from creditcore.domain.money import Credits
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, hour_of
from creditcore.ports.statements import Charged
from creditcore.ports.usage_hours import UsageOf

from ..instants import micros
from ..session import Session
from .ledger import SELECT_TRANSFERS
from .transfers import transfer_from_row
from .usage_hours import PonyUsageHours

_MAX_CALL_TIME = timedelta(days=1)
"""A call that ended in a period began not longer before it: so the index by beginning serves."""

_END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)

# The words of the partial index of transfers beside calls.
_MOVED = """
    SELECT COALESCE(SUM(CASE WHEN to_account = wallet_id THEN amount
                             WHEN from_account = wallet_id THEN -amount ELSE 0 END), 0) AS total
    FROM transfers
    WHERE wallet_id = ? AND kind NOT IN ('charge', 'write_off') AND at >= ?
"""
_ENDED = """
    SELECT COUNT(*) AS calls, COALESCE(SUM(charge), 0) AS charge FROM usage_logs
    WHERE wallet_id = ? AND state <> 'open' AND created_at >= ?
        AND closed_at >= ? AND closed_at < ?
"""


class PonyStatements:
    """Reads a wallet's history as of one instant."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._usage_hours = PonyUsageHours(session)
        self._is_frozen = False

    def posted_at(self, wallet_id: str, at: datetime) -> Credits:
        # Backwards from now: what is recent is little, however long the history.
        self._freeze()
        rows = self._session.rows("SELECT posted FROM wallets WHERE id = ?", (wallet_id,))
        if not rows:
            raise WalletNotFoundError(wallet_id)
        [moved] = self._session.rows(_MOVED, (wallet_id, micros(at)))
        [since] = self.charges(wallet_id, [Span(at, _END_OF_TIME)])
        return Credits(rows[0].posted - int(moved.total) + since.charged.microcredits)

    def movements(
        self, wallet_id: str, *, since: datetime, until: datetime, limit: int
    ) -> Sequence[Transfer]:
        self._freeze()
        rows = self._session.rows(
            f"{SELECT_TRANSFERS} WHERE wallet_id = ? AND kind NOT IN ('charge', 'write_off')"
            " AND at >= ? AND at < ? AND (to_account = wallet_id OR from_account = wallet_id)"
            " ORDER BY at, reference LIMIT ?",
            (wallet_id, micros(since), micros(until), limit),
        )
        return [transfer_from_row(row) for row in rows]

    def charges(self, wallet_id: str, spans: Sequence[Span]) -> Sequence[Charged]:
        self._freeze()
        cut = [_cut(span) for span in spans]
        found = [self._ended(wallet_id, beside) for _, beside in cut]
        for share in self._usage_hours.shares(
            UsageOf(wallet_id), [hours for hours, _ in cut], by_key=False, by_model=False
        ):
            found[share.span] += Charged(share.tally.calls, share.tally.charged)
        return found

    def _ended(self, wallet_id: str, spans: Sequence[Span]) -> Charged:
        found = Charged()
        for span in spans:
            earliest, since, until = span.since - _MAX_CALL_TIME, span.since, span.until
            [row] = self._session.rows(
                _ENDED, (wallet_id, micros(earliest), micros(since), micros(until))
            )
            found += Charged(row.calls, Credits(int(row.charge)))
        return found

    def _freeze(self) -> None:
        if not self._is_frozen:
            with self._session.translated():
                self._session.engine.freeze(self._session.db.get_connection())
            self._is_frozen = True


def _cut(span: Span) -> tuple[Span, Sequence[Span]]:
    """Return the whole hours in a span, and what of it lies beside them."""
    begins = hour_of(span.since)
    if begins < span.since:
        begins = min(begins + HOUR, span.until)
    ends = max(begins, hour_of(span.until))
    edges = (Span(span.since, begins), Span(ends, span.until))
    return Span(begins, ends), [edge for edge in edges if edge.since < edge.until]
