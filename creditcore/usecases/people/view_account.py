"""An operator looks at pages as a person sees them: to read only, and never unnoticed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.errors import InvalidRequestError, PersonNotFoundError
from creditcore.domain.people import Person, Role
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Begins, PeopleTransaction

VIEWED_FOR = timedelta(minutes=30)
"""Looking ends by itself after this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewAccount:
    """Note in the activity log, which the person's own pages can show, that an operator looks."""

    transactions: Begins[PeopleTransaction]
    clock: Clock

    def begin(self, person_id: str, *, actor: Actor) -> Person:
        """Note that an operator begins to look; return whose pages they see.

        Raises:
            InvalidRequestError: It is an operator's account, or one that is shut out.
            PersonNotFoundError: No person has this id.
        """
        with self.transactions.begin() as tx:
            person = tx.people.find(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            if person.role is not Role.USER or person.blocked:
                raise InvalidRequestError(
                    "Accounts of operators, and those that are shut out, cannot be viewed."
                )
            tx.activity.add(self._note(Act.ACCOUNT_VIEWED, person, actor))
            tx.commit()
        return person

    def end(self, person: Person, *, actor: Actor) -> None:
        """Note that the operator has stopped."""
        with self.transactions.begin() as tx:
            tx.activity.add(self._note(Act.VIEWING_ENDED, person, actor))
            tx.commit()

    def _note(self, act: Act, person: Person, actor: Actor) -> Activity:
        return Activity(
            actor=actor,
            act=act,
            target=f"person:{person.id}",
            person_id=person.id,
            at=self.clock.now(),
        )
