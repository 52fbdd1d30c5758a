"""In-memory sessions, credentials and vault."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.errors import PersonNotFoundError, ReferenceConflictError, SealBrokenError
from creditcore.domain.identities import LinkKind
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.people import Person
from creditcore.domain.sessions import Session

_LISTED = 100


@dataclass
class MemorySessions:
    """Sessions by their id."""

    table: dict[str, Session]

    def add(self, session: Session) -> None:
        if session.id in self.table or self.find(session.secret_hash):
            raise ReferenceConflictError(session.id)
        self.table[session.id] = session

    def find(self, secret_hash: bytes) -> Session | None:
        found = (row for row in self.table.values() if row.secret_hash == secret_hash)
        return next(found, None)

    def lock(self, session_id: str, *, person_id: str) -> Session | None:
        found = self.table.get(session_id)
        return found if found and found.person_id == person_id else None

    def save(self, session: Session) -> None:
        self.table[session.id] = session

    def touch(self, session_id: str, *, at: datetime) -> None:
        if session_id in self.table:
            self.table[session_id] = self.table[session_id].seen(at=at)

    def open_of(self, person_id: str) -> Sequence[Session]:
        rows = [
            row for row in self.table.values() if row.person_id == person_id and not row.ended_at
        ]
        return sorted(rows, key=lambda row: (row.last_seen_at, row.id), reverse=True)[:_LISTED]

    def end_all(self, person_id: str, *, at: datetime, but: str = "") -> int:
        rows = [
            row
            for row in self.table.values()
            if row.person_id == person_id and not row.ended_at and row.id != but
        ]
        for row in rows:
            self.table[row.id] = row.end(at=at)
        return len(rows)

    def forget(self, *, unused_since: datetime, limit: int) -> int:
        """Delete old ones."""
        old = [row.id for row in self.table.values() if row.last_seen_at < unused_since][:limit]
        for name in old:
            del self.table[name]
        return len(old)


@dataclass
class MemoryCredentials:
    """Credentials by person, and links by id."""

    people: dict[str, Person]
    table: dict[str, Credential]
    links: dict[str, MailedLink]

    def find(self, person_id: str) -> Credential | None:
        """Return a credential."""
        return self.table.get(person_id)

    def after(self, person_id: str, *, limit: int) -> list[Credential]:
        return [self.table[key] for key in sorted(self.table) if key > person_id][:limit]

    def lock(self, person_id: str) -> Credential | None:
        """Return a credential; the one writer has everything locked already."""
        return self.table.get(person_id)

    def save(self, credential: Credential) -> None:
        """Write a credential of a person."""
        if credential.person_id not in self.people:
            raise PersonNotFoundError(credential.person_id)
        self.table[credential.person_id] = credential

    def delete(self, person_id: str) -> None:
        """Forget a credential and its links."""
        self.table.pop(person_id, None)
        for link in [link for link in self.links.values() if link.person_id == person_id]:
            del self.links[link.id]

    def add_link(self, link: MailedLink) -> None:
        if link.id in self.links:
            raise ReferenceConflictError(link.id)
        self.links[link.id] = link

    def find_link(self, link_id: str) -> MailedLink | None:
        return self.links.get(link_id)

    def lock_link(self, link_id: str) -> MailedLink | None:
        return self.links.get(link_id)

    def save_link(self, link: MailedLink) -> None:
        self.links[link.id] = link

    def newest_link(self, person_id: str, kind: LinkKind) -> MailedLink | None:
        found = [
            link for link in self.links.values() if (link.person_id, link.kind) == (person_id, kind)
        ]
        return max(found, key=lambda link: (link.created_at, link.id), default=None)

    def close_links(self, person_id: str, *, at: datetime, kind: LinkKind | None = None) -> None:
        """Close links."""
        for link in self.links.values():
            if link.person_id == person_id and kind in (None, link.kind):
                self.links[link.id] = link.close(at=at)

    def forget_links(self, *, created_before: datetime, limit: int) -> int:
        old = [link.id for link in self.links.values() if link.created_at < created_before][:limit]
        for name in old:
            del self.links[name]
        return len(old)


class MemoryVault:
    """Keeps what it seals to itself, and hands out a number for it."""

    def __init__(self) -> None:
        self._sealed: dict[bytes, tuple[bytes, str]] = {}

    def seal(self, secret: bytes, *, context: str) -> bytes:
        """Return a name for the secret."""
        sealed = secrets.token_bytes(16)
        self._sealed[sealed] = (secret, context)
        return sealed

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Return the secret of a name."""
        secret, sealed_for = self._sealed.get(sealed, (b"", None))
        if sealed_for != context:
            raise SealBrokenError
        return secret

    def reseal(self, sealed: bytes, *, context: str) -> bytes | None:
        """Return None: there is one key."""
        self.open(sealed, context=context)
        return None


@dataclass
class MemoryFlows:
    """What waits for people who are away."""

    table: dict[bytes, tuple[bytes, datetime]]

    def add(self, name: bytes, sealed: bytes, *, expires_at: datetime) -> None:
        self.table[name] = (sealed, expires_at)

    def take(self, name: bytes, *, now: datetime) -> bytes | None:
        sealed, expires_at = self.table.get(name, (b"", now))
        if expires_at <= now:
            return None
        del self.table[name]
        return sealed

    def forget(self, *, expired_before: datetime, limit: int) -> int:
        """Delete old ones."""
        old = [name for name, (_, end) in self.table.items() if end <= expired_before][:limit]
        for name in old:
            del self.table[name]
        return len(old)


@dataclass
class MemoryDailyGrants:
    """What was given away, by day."""

    table: dict[date, Credits]

    def claim(self, day: date, amount: Credits, *, at_most: Credits) -> bool:
        total = self.table.get(day, ZERO) + amount
        if total > at_most:
            return False
        self.table[day] = total
        return True
