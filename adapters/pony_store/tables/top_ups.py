"""Standing orders in ``top_up_orders``, and their attempts in ``top_ups``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.money import Credits, Money
from creditcore.domain.top_ups import TopUp, TopUpOrder, TopUpState

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, marks

_ORDER = (
    "wallet_id",
    "person_id",
    "card_id",
    "threshold",
    "value_cents",
    "currency",
    "per_day",
    "monthly_cap_cents",
    "changed_at",
    "state",
    "reason",
    "pending",
    "begun",
    "rests_until",
)
_TOP_UP = ("reference", "wallet_id", "number", "value_cents", "begun_at", "failed")
_SELECT_ORDERS = f"SELECT {', '.join(_ORDER)} FROM top_up_orders"
_SELECT_TOP_UPS = f"SELECT {', '.join(_TOP_UP)} FROM top_ups"
_SAVE_ORDER = (
    f"INSERT INTO top_up_orders ({', '.join(_ORDER)}) VALUES ({marks(len(_ORDER))})"
    " ON CONFLICT (wallet_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _ORDER[1:])
)
_DUE = """
    SELECT w.id FROM top_up_orders o JOIN wallets w ON w.id = o.wallet_id
    WHERE o.state = 'on' AND o.pending = '' AND (o.rests_until IS NULL OR o.rests_until <= ?)
      AND w.owed = 0 AND w.posted - w.held < o.threshold
    ORDER BY o.rests_until, w.id LIMIT ?
"""


class PonyTopUps:
    """One order for each wallet, at most."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, wallet_id: str) -> TopUpOrder | None:
        return self._find(wallet_id, "")

    def lock(self, wallet_id: str) -> TopUpOrder | None:
        return self._find(wallet_id, self._session.engine.row_lock)

    def save(self, order: TopUpOrder) -> None:
        self._session.change(
            _SAVE_ORDER,
            (
                order.wallet_id,
                order.person_id,
                order.card_id,
                order.threshold.microcredits,
                order.value.minor_units,
                order.currency,
                order.per_day,
                order.monthly_cap.minor_units,
                micros(order.changed_at),
                order.state.value,
                order.reason,
                order.pending,
                order.begun,
                micros_or_none(order.rests_until),
            ),
        )

    def due(self, *, now: datetime, limit: int) -> Sequence[str]:
        return [row.id for row in self._session.rows(_DUE, (micros(now), limit))]

    def by_card(self, card_id: str) -> Sequence[str]:
        rows = self._session.rows(
            "SELECT wallet_id FROM top_up_orders WHERE card_id = ? ORDER BY wallet_id", (card_id,)
        )
        return [row.wallet_id for row in rows]

    def add(self, top_up: TopUp) -> None:
        self._session.insert(
            "top_ups",
            _TOP_UP,
            [
                (
                    top_up.reference,
                    top_up.wallet_id,
                    top_up.number,
                    top_up.value.minor_units,
                    micros(top_up.begun_at),
                    int(top_up.failed),
                )
            ],
        )

    def attempt(self, reference: str) -> TopUp | None:
        rows = self._session.rows(f"{_SELECT_TOP_UPS} WHERE reference = ?", (reference,))
        return _top_up_from_row(rows[0]) if rows else None

    def mark(self, reference: str, *, failed: bool) -> None:
        self._session.change(
            "UPDATE top_ups SET failed = ? WHERE reference = ?", (int(failed), reference)
        )

    def recent(self, wallet_id: str, *, since: datetime) -> Sequence[TopUp]:
        rows = self._session.rows(
            f"{_SELECT_TOP_UPS} WHERE wallet_id = ? AND begun_at >= ? ORDER BY number",
            (wallet_id, micros(since)),
        )
        return [_top_up_from_row(row) for row in rows]

    def _find(self, wallet_id: str, row_lock: str) -> TopUpOrder | None:
        rows = self._session.rows(f"{_SELECT_ORDERS} WHERE wallet_id = ?{row_lock}", (wallet_id,))
        return _order_from_row(rows[0]) if rows else None


def _order_from_row(row: Any) -> TopUpOrder:
    return TopUpOrder(
        wallet_id=row.wallet_id,
        person_id=row.person_id,
        card_id=row.card_id,
        threshold=Credits(row.threshold),
        value=Money(row.value_cents, "USD"),
        currency=row.currency,
        per_day=row.per_day,
        monthly_cap=Money(row.monthly_cap_cents, "USD"),
        changed_at=instant(row.changed_at),
        state=TopUpState(row.state),
        reason=row.reason,
        pending=row.pending,
        begun=row.begun,
        rests_until=instant_or_none(row.rests_until),
    )


def _top_up_from_row(row: Any) -> TopUp:
    return TopUp(
        reference=row.reference,
        wallet_id=row.wallet_id,
        number=row.number,
        value=Money(row.value_cents, "USD"),
        begun_at=instant(row.begun_at),
        failed=bool(row.failed),
    )
