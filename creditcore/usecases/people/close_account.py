"""Close an account as its owner wishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import PersonNotFoundError
from creditcore.domain.jobs import Job
from creditcore.ports.clock import Clock
from creditcore.ports.identity import IdentityOperators
from creditcore.ports.store_ports import (
    HasCards,
    HasJobs,
    HasLowBalance,
    HasSessions,
    HasTopUps,
    HasWeeklySummaries,
)
from creditcore.ports.transactions import Begins, KeysTransaction
from creditcore.usecases.teams.change_members import leave_every_team

DELETE_IDENTITY = "delete_identity"
"""The kind of the jobs."""


class CloseAccountTransaction(
    KeysTransaction,
    HasCards,
    HasJobs,
    HasLowBalance,
    HasSessions,
    HasTopUps,
    HasWeeklySummaries,
    Protocol,
):
    """What closing an account reads and writes."""


LastAct = Callable[[CloseAccountTransaction, str, Actor], None]
"""Ends something of a person's, in the transaction that closes their account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAccount:
    """Close the account, here at once and at the identity provider soon.

    Payments, transfers and calls stay: the law asks for them, and the books add up to them. They
    carry an id, and no address any more. A balance stays in its wallet, which nothing opens.

    Attributes:
        before_leaving: What else ends with the account, in the same transaction.
    """

    transactions: Begins[CloseAccountTransaction]
    clock: Clock
    operators: IdentityOperators
    before_leaving: Sequence[LastAct] = ()

    def close(self, person_id: str, *, actor: Actor = SYSTEM) -> None:
        """Revoke the keys, end the sessions, forget the address; a repeat changes nothing more.

        Raises:
            LastOwnerError: They are the only owner of a team.
            PersonNotFoundError: No person has this id.
            StoreBusyError: A key was changed at the same moment; nothing happened.
        """
        now = self.clock.now()
        with self.transactions.begin() as tx:
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            leave_every_team(tx, person_id, at=now, actor=actor)
            for key in tx.keys.list_of(person_id):
                if key.revoked_at is None:
                    tx.keys.save(tx.keys.lock(key.id, owner_id=person_id).revoke(at=now))
            for act in self.before_leaving:
                act(tx, person_id, actor)
            tx.weekly_summaries.remove(person_id)
            tx.sessions.end_all(person_id, at=now)
            tx.people.save(person.leave())
            tx.activity.add(
                Activity(
                    actor=actor,
                    act=Act.ACCOUNT_CLOSED,
                    target=f"person:{person_id}",
                    person_id=person_id,
                    at=now,
                )
            )
            tx.jobs.enqueue(
                DELETE_IDENTITY, person_id, {"subject": person.provider_subject}, run_at=now
            )
            tx.commit()

    def delete_identity(self, job: Job) -> None:
        """Let the provider forget them too; who is gone already is no error."""
        # Jobs of before have no subject: no person had another id then.
        self.operators.delete(str(job.payload.get("subject") or job.business_key))
