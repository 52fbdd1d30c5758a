"""One search over everything that operators know by a name."""

from __future__ import annotations

from collections.abc import Sequence

from creditcore.domain.purchases import receipt_code_of
from creditcore.ports.oversight import Found, FoundKind

from ..instants import instant
from ..session import Session

_LAST_FOUR = 4


class OversightSearch:
    """People, teams, keys, calls, payments and webhooks, found by one text."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def search(self, text: str, *, limit: int) -> Sequence[Found]:
        if not text or "\0" in text:
            # No database keeps such a name.
            return []
        found: list[Found] = []
        for search in (
            self._people,
            self._teams,
            self._keys,
            self._calls,
            self._refused_calls,
            self._payments,
            self._webhooks,
        ):
            if len(found) < limit:
                found += search(text, limit - len(found))
        return found

    def _people(self, text: str, limit: int) -> list[Found]:
        email = text.lower()
        rows = self._session.rows(
            "SELECT id, email, created_at FROM profiles WHERE id = ?"
            " UNION SELECT id, email, created_at FROM profiles WHERE email >= ? AND email < ?"
            " UNION SELECT p.id, p.email, p.created_at FROM wallets w"
            " JOIN profiles p ON p.id = w.owner_id WHERE w.id = ?"
            " ORDER BY email LIMIT ?",
            (text, email, _after(email), text, limit),
        )
        return [
            Found(
                kind=FoundKind.PERSON,
                id=row.id,
                label=row.email,
                owner_id=row.id,
                at=instant(row.created_at),
            )
            for row in rows
        ]

    def _teams(self, text: str, limit: int) -> list[Found]:
        name = text.casefold()
        columns = "t.id, t.name, t.created_at, t.search_name"
        rows = self._session.rows(
            f"SELECT {columns} FROM teams t WHERE t.id = ?"
            f" UNION SELECT {columns} FROM teams t WHERE t.search_name >= ? AND t.search_name < ?"
            f" UNION SELECT {columns} FROM wallets w JOIN teams t ON t.id = w.owner_id"
            " WHERE w.id = ? ORDER BY search_name, id LIMIT ?",
            (text, name, _after(name), text, limit),
        )
        return [
            Found(
                kind=FoundKind.TEAM,
                id=row.id,
                label=row.name,
                owner_id=row.id,
                at=instant(row.created_at),
            )
            for row in rows
        ]

    def _keys(self, text: str, limit: int) -> list[Found]:
        rows = self._session.rows(
            "SELECT id, name, prefix, last_four, owner_id, created_at FROM virtual_keys"
            " WHERE id = ? OR prefix = ? OR last_four = ? ORDER BY created_at DESC LIMIT ?",
            (text, text, text if len(text) == _LAST_FOUR else "", limit),
        )
        return [
            Found(
                kind=FoundKind.KEY,
                id=row.id,
                label=f"{row.name} ({row.prefix}\u2026{row.last_four})",
                owner_id=row.owner_id,
                at=instant(row.created_at),
            )
            for row in rows
        ]

    def _calls(self, text: str, limit: int) -> list[Found]:
        return self._of_wallets(FoundKind.CALL, "usage_logs", text, limit)

    def _refused_calls(self, text: str, limit: int) -> list[Found]:
        return self._of_wallets(FoundKind.REFUSED_CALL, "refused_calls", text, limit)

    def _of_wallets(self, kind: FoundKind, table: str, text: str, limit: int) -> list[Found]:
        rows = self._session.rows(
            "SELECT c.id, COALESCE(c.model, '') AS model, c.created_at, w.owner_id"
            f" FROM {table} c JOIN wallets w ON w.id = c.wallet_id WHERE c.id = ? LIMIT ?",
            (text, limit),
        )
        return [
            Found(
                kind=kind,
                id=row.id,
                label=row.model or "unknown model",
                owner_id=row.owner_id,
                at=instant(row.created_at),
            )
            for row in rows
        ]

    def _payments(self, text: str, limit: int) -> list[Found]:
        by = "SELECT paystack_ref, email, owner_id, created_at FROM transactions WHERE"
        rows = self._session.rows(
            f"{by} paystack_ref >= ? AND paystack_ref < ?"
            f" UNION {by} provider_id = ? AND provider_id <> ''"
            f" UNION {by} receipt_code = ? AND receipt_code <> '' ORDER BY created_at DESC LIMIT ?",
            (text, _after(text), text, receipt_code_of(text), limit),
        )
        return [
            Found(
                kind=FoundKind.PAYMENT,
                id=row.paystack_ref,
                label=row.email,
                owner_id=row.owner_id,
                at=instant(row.created_at),
            )
            for row in rows
        ]

    def _webhooks(self, text: str, limit: int) -> list[Found]:
        rows = self._session.rows(
            "SELECT digest, name, received_at FROM payment_events WHERE reference = ?"
            " ORDER BY received_at DESC LIMIT ?",
            (text, limit),
        )
        return [
            Found(
                kind=FoundKind.WEBHOOK,
                id=row.digest,
                label=row.name or "unreadable",
                at=instant(row.received_at),
            )
            for row in rows
        ]


def _after(text: str) -> str:
    """Return the first text behind all that begin with this one."""
    return f"{text}\U0010ffff"
