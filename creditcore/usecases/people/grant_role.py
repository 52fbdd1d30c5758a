"""Make a person an operator, or no longer one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.errors import PersonNotFoundError
from creditcore.domain.people import Person, Role
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Begins, PeopleTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole:
    """Change a person's role. Their sessions end, so that each session has one role."""

    transactions: Begins[PeopleTransaction]
    clock: Clock

    def grant(self, person_id: str, role: Role, *, actor: Actor = SYSTEM) -> Person:
        """Give a person a role; a repeat changes nothing.

        Raises:
            PersonNotFoundError: No person has this id.
        """
        with self.transactions.begin() as tx:
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            if person.role is role:
                return person
            changed = replace(person.end_sessions(), role=role)
            tx.people.save(changed)
            tx.activity.add(
                Activity(
                    actor=actor,
                    act=Act.ROLE_CHANGED,
                    target=f"person:{person.id}",
                    person_id=person.id,
                    before={"role": str(person.role)},
                    after={"role": str(role)},
                    at=self.clock.now(),
                )
            )
            tx.commit()
        return changed
