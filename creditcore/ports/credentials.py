"""What local accounts are recognised by, and the links that were mailed to their owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from creditcore.domain.credentials import Credential, MailedLink
from creditcore.domain.identities import LinkKind


class Credentials(Protocol):
    """The ways into local accounts."""

    def find(self, person_id: str) -> Credential | None:
        """Return what a person is recognised by."""

    def after(self, person_id: str, *, limit: int) -> Sequence[Credential]:
        """Return those of the people whose ids follow this one, in their order."""

    def lock(self, person_id: str) -> Credential | None:
        """Return it, locked until the transaction ends."""

    def save(self, credential: Credential) -> None:
        """Write it, new or changed."""

    def delete(self, person_id: str) -> None:
        """Forget it, and the links that were mailed."""

    def add_link(self, link: MailedLink) -> None:
        """Add a link.

        Raises:
            ReferenceConflictError: Its id is taken.
        """

    def find_link(self, link_id: str) -> MailedLink | None:
        """Return a link."""

    def lock_link(self, link_id: str) -> MailedLink | None:
        """Return a link, locked until the transaction ends: it is used once."""

    def save_link(self, link: MailedLink) -> None:
        """Write a changed link that ``lock_link`` returned."""

    def newest_link(self, person_id: str, kind: LinkKind) -> MailedLink | None:
        """Return the last link of a kind that was made for a person."""

    def close_links(self, person_id: str, *, at: datetime, kind: LinkKind | None = None) -> None:
        """Let no link work that was made for them before, of one kind or of any."""

    def forget_links(self, *, created_before: datetime, limit: int) -> int:
        """Delete old links; return how many."""
