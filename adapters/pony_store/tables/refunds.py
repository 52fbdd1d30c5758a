"""Refunds and disputes in ``refunds``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.money import Credits, Money
from creditcore.domain.refunds import Refund, RefundKind, RefundState

from ..instants import instant, micros
from ..session import Session, marks

_COLUMNS = (
    "id",
    "purchase_ref",
    "wallet_id",
    "kind",
    "state",
    "minor_units",
    "currency",
    "credits",
    "provider_id",
    "reason",
    "by_provider",
    "turns",
    "created_at",
    "updated_at",
)
_CHANGING = ("state", "minor_units", "credits", "provider_id", "turns", "updated_at")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM refunds"
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
_SAVE = (
    f"INSERT INTO refunds ({', '.join(_COLUMNS)}) VALUES ({marks(len(_COLUMNS))})"
    f" ON CONFLICT (id) DO UPDATE SET {_CHANGES}"
)


class PonyRefunds:
    """Money that goes back, by payment."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, purchase_reference: str) -> Sequence[Refund]:
        rows = self._session.rows(
            f"{_SELECT} WHERE purchase_ref = ? ORDER BY created_at, id", (purchase_reference,)
        )
        return [_from_row(row) for row in rows]

    def save(self, refund: Refund) -> None:
        with self._session.translated(taken=ReferenceConflictError(refund.provider_id)):
            self._session.change(_SAVE, _values(refund))

    def under_way(self, *, updated_before: datetime, limit: int) -> Sequence[Refund]:
        # The words of the partial index.
        rows = self._session.rows(
            f"{_SELECT} WHERE state NOT IN ('processed', 'failed') AND updated_at <= ?"
            " ORDER BY updated_at, id LIMIT ?",
            (micros(updated_before), limit),
        )
        return [_from_row(row) for row in rows]


def _values(refund: Refund) -> tuple[object, ...]:
    return (
        refund.id,
        refund.purchase,
        refund.wallet_id,
        refund.kind.value,
        refund.state.value,
        refund.amount.minor_units,
        refund.amount.currency,
        refund.credits.microcredits,
        refund.provider_id or None,
        refund.reason,
        refund.by_provider,
        refund.turns,
        micros(refund.created_at),
        micros(refund.updated_at),
    )


def _from_row(row: Any) -> Refund:
    return Refund(
        id=row.id,
        purchase=row.purchase_ref,
        wallet_id=row.wallet_id,
        kind=RefundKind(row.kind),
        state=RefundState(row.state),
        amount=Money(row.minor_units, row.currency),
        credits=Credits(row.credits),
        provider_id=row.provider_id or "",
        reason=row.reason,
        by_provider=bool(row.by_provider),
        turns=row.turns,
        created_at=instant(row.created_at),
        updated_at=instant(row.updated_at),
    )
