"""A wallet's history, added up by the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from creditcore.domain.errors import WalletNotFoundError
from creditcore.domain.ledger import Transfer
from creditcore.domain.money import Credits
from creditcore.ports.statements import ChargedHour

from ..instants import instant, micros
from ..session import Session
from .ledger import SELECT_TRANSFERS
from .transfers import transfer_from_row

_HOUR = 3600 * 1_000_000
_MAX_CALL_TIME = timedelta(days=1)
"""A call that ended in a period began not longer before it: so the index by beginning serves."""

# The words of the partial index of transfers beside calls.
_MOVED = """
    SELECT COALESCE(SUM(CASE WHEN to_account = wallet_id THEN amount
                             WHEN from_account = wallet_id THEN -amount ELSE 0 END), 0) AS total
    FROM transfers
    WHERE wallet_id = ? AND kind NOT IN ('charge', 'write_off') AND at >= ?
"""
_CHARGED = """
    SELECT COALESCE(SUM(charge), 0) AS total FROM usage_logs
    WHERE wallet_id = ? AND created_at >= ? AND closed_at >= ?
"""


class PonyStatements:
    """Reads a wallet's history as of one instant."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_frozen = False

    def posted_at(self, wallet_id: str, at: datetime) -> Credits:
        # Backwards from now: what is recent is little, however long the history.
        self._freeze()
        rows = self._session.rows("SELECT posted FROM wallets WHERE id = ?", (wallet_id,))
        if not rows:
            raise WalletNotFoundError(wallet_id)
        [moved] = self._session.rows(_MOVED, (wallet_id, micros(at)))
        [charged] = self._session.rows(
            _CHARGED, (wallet_id, micros(at - _MAX_CALL_TIME), micros(at))
        )
        return Credits(rows[0].posted - int(moved.total) + int(charged.total))

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

    def charges(self, wallet_id: str, *, since: datetime, until: datetime) -> Sequence[ChargedHour]:
        self._freeze()
        rows = self._session.rows(
            f"SELECT closed_at / {_HOUR} AS hour, COUNT(*) AS calls, SUM(charge) AS charged"
            " FROM usage_logs WHERE wallet_id = ? AND created_at >= ? AND closed_at >= ?"
            " AND closed_at < ? AND charge > 0 GROUP BY 1 ORDER BY 1",
            (wallet_id, micros(since - _MAX_CALL_TIME), micros(since), micros(until)),
        )
        return [
            ChargedHour(instant(row.hour * _HOUR), row.calls, Credits(int(row.charged)))
            for row in rows
        ]

    def _freeze(self) -> None:
        if not self._is_frozen:
            with self._session.translated():
                self._session.engine.freeze(self._session.db.get_connection())
            self._is_frozen = True
