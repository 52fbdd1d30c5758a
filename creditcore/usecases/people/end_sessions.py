"""Sign somebody out, wherever they are signed in."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.errors import PersonNotFoundError
from creditcore.ports.transactions import Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessions:
    """End all sessions of a person, and with them every copy of their cookies."""

    transactions: Transactions

    def end(self, person_id: str) -> None:
        """Let no session count that began before this.

        Raises:
            PersonNotFoundError: Nobody has this id.
        """
        with self.transactions.begin() as tx:
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            tx.people.save(person.end_sessions())
            tx.commit()
