"""Shut a person out: no session, no key, until an operator says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import InvalidRequestError, PersonNotFoundError
from creditcore.domain.people import Person
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasKeys
from creditcore.ports.transactions import Begins, PeopleTransaction


class BlockPersonTransaction(PeopleTransaction, HasKeys, Protocol):
    """What blocking a person reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPerson:
    """Block people and let them in again; both are kept in the activity log.

    A call is let through by its key alone, so blocking revokes the keys, which is final:
    a person who is let in again makes new ones. A call under way ends as it would have, and a
    payment that arrives is credited. ``IssueKey`` gives a blocked person no key.
    """

    transactions: Begins[BlockPersonTransaction]
    clock: Clock

    def block(self, person_id: str, *, reason: str, actor: Actor = SYSTEM) -> int:
        """End the sessions and revoke the keys; return how many keys that were.

        A repeat revokes nothing more, and keeps its reason too.

        Raises:
            InvalidRequestError: No reason is given.
            PersonNotFoundError: No person has this id.
            StoreBusyError: A key was changed at the same moment; nothing happened.
        """
        if not reason.strip():
            raise InvalidRequestError("A block has a reason.", param="reason")
        now = self.clock.now()
        with self.transactions.begin() as tx:
            person = _locked(tx, person_id)
            keys = [*tx.keys.list_of(person.id), *tx.keys.held_by(person.id)]
            open_keys = [key for key in keys if key.revoked_at is None]
            for key in open_keys:
                tx.keys.save(tx.keys.lock(key.id, owner_id=key.owner_id).revoke(at=now))
            tx.people.save(person.block())
            tx.activity.add(
                _changed(
                    Act.PERSON_BLOCKED,
                    person,
                    actor=actor,
                    at=now,
                    after={"reason": reason.strip(), "keys_revoked": len(open_keys)},
                )
            )
            tx.commit()
        return len(open_keys)

    def unblock(self, person_id: str, *, reason: str = "", actor: Actor = SYSTEM) -> None:
        """Let a person sign in again, and make new keys; a reason is kept where one is given.

        Raises:
            PersonNotFoundError: No person has this id.
        """
        with self.transactions.begin() as tx:
            person = _locked(tx, person_id)
            tx.people.save(person.unblock())
            tx.activity.add(
                _changed(
                    Act.PERSON_UNBLOCKED,
                    person,
                    actor=actor,
                    at=self.clock.now(),
                    after={"reason": reason.strip()} if reason.strip() else {},
                )
            )
            tx.commit()


def _locked(tx: BlockPersonTransaction, person_id: str) -> Person:
    person = tx.people.lock(person_id)
    if person is None:
        raise PersonNotFoundError(person_id)
    return person


def _changed(
    act: Act, person: Person, *, actor: Actor, at: datetime, after: dict[str, object]
) -> Activity:
    return Activity(
        actor=actor,
        act=act,
        target=f"person:{person.id}",
        person_id=person.id,
        before={"blocked": person.blocked},
        after={"blocked": act is Act.PERSON_BLOCKED, **after},
        at=at,
    )
