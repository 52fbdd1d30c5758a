"""Who is told when which wallet runs low, in ``low_balance_watches``."""

from __future__ import annotations

from collections.abc import Sequence

from creditcore.domain.low_balance import LowBalanceWatch
from creditcore.domain.money import Credits

from ..instants import instant_or_none, micros_or_none
from ..session import Session

_SELECT = "SELECT wallet_id, person_id, threshold, below_since, crossings FROM low_balance_watches"


class PonyLowBalanceWatches:
    """One watch for each wallet, at most."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, wallet_id: str) -> LowBalanceWatch | None:
        return self._find(wallet_id, "")

    def lock(self, wallet_id: str) -> LowBalanceWatch | None:
        return self._find(wallet_id, self._session.engine.row_lock)

    def save(self, watch: LowBalanceWatch) -> None:
        self._session.change(
            "INSERT INTO low_balance_watches"
            " (wallet_id, person_id, threshold, below_since, crossings) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (wallet_id) DO UPDATE SET person_id = excluded.person_id,"
            " threshold = excluded.threshold, below_since = excluded.below_since,"
            " crossings = excluded.crossings",
            (
                watch.wallet_id,
                watch.person_id,
                watch.threshold.microcredits,
                micros_or_none(watch.below_since),
                watch.crossings,
            ),
        )

    def crossed(self, *, limit: int) -> Sequence[str]:
        rows = self._session.rows(
            "SELECT w.id FROM low_balance_watches n JOIN wallets w ON w.id = n.wallet_id"
            " WHERE (n.below_since IS NULL AND w.posted - w.held < n.threshold)"
            " OR (n.below_since IS NOT NULL AND (w.posted - w.held) * 5 > n.threshold * 6)"
            " ORDER BY w.id LIMIT ?",
            (limit,),
        )
        return [row.id for row in rows]

    def _find(self, wallet_id: str, row_lock: str) -> LowBalanceWatch | None:
        rows = self._session.rows(f"{_SELECT} WHERE wallet_id = ?{row_lock}", (wallet_id,))
        if not rows:
            return None
        [row] = rows
        return LowBalanceWatch(
            wallet_id=row.wallet_id,
            person_id=row.person_id,
            threshold=Credits(row.threshold),
            below_since=instant_or_none(row.below_since),
            crossings=row.crossings,
        )
