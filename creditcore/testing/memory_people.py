"""Profiles."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.errors import EmailTakenError, PersonNotFoundError, ReferenceConflictError
from creditcore.domain.people import Person
from creditcore.testing.memory_tables import MemoryTables


@dataclass
class MemoryPeople:
    """Profiles."""

    tables: MemoryTables

    def add(self, person: Person) -> None:
        if self.find_by_email(person.email) is not None or person.id in self.tables.people:
            raise EmailTakenError
        self.tables.people[person.id] = person

    def find(self, person_id: str) -> Person | None:
        return self.tables.people.get(person_id)

    def find_by_email(self, email: str) -> Person | None:
        for person in self.tables.people.values():
            if person.email == email:
                return person
        return None

    def find_by_subject(self, subject: str) -> Person | None:
        for person in self.tables.people.values():
            if person.provider_subject == subject:
                return person
        return None

    def lock(self, person_id: str) -> Person | None:
        return self.find(person_id)

    def save(self, person: Person) -> None:
        if person.id not in self.tables.people:
            raise PersonNotFoundError(person.id)
        for other in self.tables.people.values():
            taken = other.email == person.email or (
                other.subject and other.subject == person.subject
            )
            if other.id != person.id and taken:
                raise ReferenceConflictError(person.id)
        self.tables.people[person.id] = person
