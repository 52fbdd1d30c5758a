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
        columns = "p.id, p.email AS label, p.id AS owner_id, p.created_at AS at"
        return self._found(
            FoundKind.PERSON,
            f"SELECT {columns} FROM profiles p WHERE p.id = ?"
            f" UNION SELECT {columns} FROM profiles p WHERE p.email >= ? AND p.email < ?"
            f" UNION SELECT {columns} FROM wallets w JOIN profiles p ON p.id = w.owner_id"
            " WHERE w.id = ? ORDER BY label LIMIT ?",
            (text, email, _after(email), text, limit),
        )

    def _teams(self, text: str, limit: int) -> list[Found]:
        name = text.casefold()
        columns = "t.id, t.name AS label, t.id AS owner_id, t.created_at AS at, t.search_name"
        return self._found(
            FoundKind.TEAM,
            f"SELECT {columns} FROM teams t WHERE t.id = ?"
            f" UNION SELECT {columns} FROM teams t WHERE t.search_name >= ? AND t.search_name < ?"
            f" UNION SELECT {columns} FROM wallets w JOIN teams t ON t.id = w.owner_id"
            " WHERE w.id = ? ORDER BY search_name, id LIMIT ?",
            (text, name, _after(name), text, limit),
        )

    def _keys(self, text: str, limit: int) -> list[Found]:
        return self._found(
            FoundKind.KEY,
            "SELECT id, name || ' (' || prefix || '\u2026' || last_four || ')' AS label, owner_id,"
            " created_at AS at FROM virtual_keys WHERE id = ? OR prefix = ? OR last_four = ?"
            " ORDER BY created_at DESC LIMIT ?",
            (text, text, text if len(text) == _LAST_FOUR else "", limit),
        )

    def _calls(self, text: str, limit: int) -> list[Found]:
        return self._of_wallets(FoundKind.CALL, "usage_logs", text, limit)

    def _refused_calls(self, text: str, limit: int) -> list[Found]:
        return self._of_wallets(FoundKind.REFUSED_CALL, "refused_calls", text, limit)

    def _of_wallets(self, kind: FoundKind, table: str, text: str, limit: int) -> list[Found]:
        return self._found(
            kind,
            "SELECT c.id, COALESCE(NULLIF(c.model, ''), 'unknown model') AS label, w.owner_id,"
            f" c.created_at AS at FROM {table} c JOIN wallets w ON w.id = c.wallet_id"
            " WHERE c.id = ? LIMIT ?",
            (text, limit),
        )

    def _payments(self, text: str, limit: int) -> list[Found]:
        by = (
            "SELECT paystack_ref AS id, email AS label, owner_id, created_at AS at"
            " FROM transactions WHERE"
        )
        return self._found(
            FoundKind.PAYMENT,
            f"{by} paystack_ref >= ? AND paystack_ref < ?"
            f" UNION {by} provider_id = ? AND provider_id <> ''"
            f" UNION {by} receipt_code = ? AND receipt_code <> '' ORDER BY at DESC LIMIT ?",
            (text, _after(text), text, receipt_code_of(text), limit),
        )

    def _webhooks(self, text: str, limit: int) -> list[Found]:
        return self._found(
            FoundKind.WEBHOOK,
            "SELECT digest AS id, COALESCE(NULLIF(name, ''), 'unreadable') AS label,"
            " '' AS owner_id, received_at AS at FROM payment_events WHERE reference = ?"
            " ORDER BY received_at DESC LIMIT ?",
            (text, limit),
        )

    def _found(self, kind: FoundKind, query: str, values: tuple[object, ...]) -> list[Found]:
        """Ask for rows with an id, a label, an owner and an instant."""
        return [
            Found(kind=kind, id=row.id, label=row.label, owner_id=row.owner_id, at=instant(row.at))
            for row in self._session.rows(query, values)
        ]


def _after(text: str) -> str:
    """Return the first text behind all that begin with this one."""
    return f"{text}\U0010ffff"
