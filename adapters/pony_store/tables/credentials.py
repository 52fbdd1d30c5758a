"""Local accounts in ``local_credentials``, their links in ``mailed_links``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.identities import LinkKind

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session

CREDENTIAL_COLUMNS = (
    "profile_id",
    "password_hash",
    "confirmed_at",
    "banned_until",
    "totp_sealed",
    "totp_since",
    "totp_step",
    "recovery_hashes",
    "new_email",
    "failures",
    "paused_until",
)
LINK_COLUMNS = ("id", "kind", "person_id", "email", "created_at", "closed_at")


def credential_values(credential: Credential) -> tuple[object, ...]:
    """Return a row of ``local_credentials``."""
    return (
        credential.person_id,
        credential.password_hash,
        micros_or_none(credential.confirmed_at),
        micros_or_none(credential.banned_until),
        credential.totp_sealed,
        micros_or_none(credential.totp_since),
        credential.totp_step,
        " ".join(sorted(some.hex() for some in credential.recovery_hashes)),
        credential.new_email,
        credential.failures,
        micros_or_none(credential.paused_until),
    )


def credential_from_row(row: Any) -> Credential:
    """Return the credential of a row."""
    return Credential(
        person_id=row.profile_id,
        password_hash=row.password_hash,
        confirmed_at=instant_or_none(row.confirmed_at),
        banned_until=instant_or_none(row.banned_until),
        # PostgreSQL's driver returns a memoryview.
        totp_sealed=bytes(row.totp_sealed),
        totp_since=instant_or_none(row.totp_since),
        totp_step=row.totp_step,
        recovery_hashes=frozenset(bytes.fromhex(some) for some in row.recovery_hashes.split()),
        new_email=row.new_email,
        failures=row.failures,
        paused_until=instant_or_none(row.paused_until),
    )


def link_values(link: MailedLink) -> tuple[object, ...]:
    """Return a row of ``mailed_links``."""
    return (
        link.id,
        str(link.kind),
        link.person_id,
        link.email,
        micros(link.created_at),
        micros_or_none(link.closed_at),
    )


def link_from_row(row: Any) -> MailedLink:
    """Return the link of a row."""
    return MailedLink(
        id=row.id,
        kind=LinkKind(row.kind),
        person_id=row.person_id,
        email=row.email,
        created_at=instant(row.created_at),
        closed_at=instant_or_none(row.closed_at),
    )


class PonyCredentials:
    """The ways into local accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, person_id: str) -> Credential | None:
        return self._credential("", person_id)

    def after(self, person_id: str, *, limit: int) -> Sequence[Credential]:
        rows = self._session.rows(
            f"SELECT {', '.join(CREDENTIAL_COLUMNS)} FROM local_credentials"
            " WHERE profile_id > ? ORDER BY profile_id LIMIT ?",
            (person_id, limit),
        )
        return [credential_from_row(row) for row in rows]

    def lock(self, person_id: str) -> Credential | None:
        return self._credential(self._session.engine.row_lock, person_id)

    def save(self, credential: Credential) -> None:
        columns = ", ".join(CREDENTIAL_COLUMNS)
        marks = ", ".join("?" for _ in CREDENTIAL_COLUMNS)
        changes = ", ".join(f"{column} = excluded.{column}" for column in CREDENTIAL_COLUMNS[1:])
        self._session.change(
            f"INSERT INTO local_credentials ({columns}) VALUES ({marks})"
            f" ON CONFLICT (profile_id) DO UPDATE SET {changes}",
            credential_values(credential),
        )

    def delete(self, person_id: str) -> None:
        self._session.change("DELETE FROM mailed_links WHERE person_id = ?", (person_id,))
        self._session.change("DELETE FROM local_credentials WHERE profile_id = ?", (person_id,))

    def add_link(self, link: MailedLink) -> None:
        self._session.insert("mailed_links", LINK_COLUMNS, [link_values(link)])

    def find_link(self, link_id: str) -> MailedLink | None:
        return self._link("id = ?", (link_id,))

    def lock_link(self, link_id: str) -> MailedLink | None:
        return self._link(f"id = ?{self._session.engine.row_lock}", (link_id,))

    def save_link(self, link: MailedLink) -> None:
        self._session.change(
            "UPDATE mailed_links SET closed_at = ? WHERE id = ?",
            (micros_or_none(link.closed_at), link.id),
        )

    def newest_link(self, person_id: str, kind: LinkKind) -> MailedLink | None:
        return self._link(
            "person_id = ? AND kind = ? ORDER BY created_at DESC, id DESC LIMIT 1",
            (person_id, str(kind)),
        )

    def close_links(self, person_id: str, *, at: datetime, kind: LinkKind | None = None) -> None:
        of_kind = "" if kind is None else " AND kind = ?"
        self._session.change(
            "UPDATE mailed_links SET closed_at = ? WHERE person_id = ? AND closed_at IS NULL"
            f"{of_kind}",
            (micros(at), person_id, *([] if kind is None else [str(kind)])),
        )

    def forget_links(self, *, created_before: datetime, limit: int) -> int:
        return self._session.change(
            "DELETE FROM mailed_links WHERE id IN (SELECT id FROM mailed_links"
            " WHERE created_at < ? ORDER BY created_at LIMIT ?)",
            (micros(created_before), limit),
        )

    def _credential(self, row_lock: str, person_id: str) -> Credential | None:
        rows = self._session.rows(
            f"SELECT {', '.join(CREDENTIAL_COLUMNS)} FROM local_credentials"
            f" WHERE profile_id = ?{row_lock}",
            (person_id,),
        )
        return credential_from_row(rows[0]) if rows else None

    def _link(self, condition: str, values: tuple[object, ...]) -> MailedLink | None:
        rows = self._session.rows(
            f"SELECT {', '.join(LINK_COLUMNS)} FROM mailed_links WHERE {condition}", values
        )
        return link_from_row(rows[0]) if rows else None
