"""Profiles of those who have an account."""

from __future__ import annotations

from typing import Protocol

from creditcore.domain.people import Person


class People(Protocol):
    """Who has an account."""

    def add(self, person: Person) -> None:
        """Add a person.

        Raises:
            EmailTakenError: The e-mail address has an account.
        """

    def find(self, person_id: str) -> Person | None:
        """Return a person."""

    def find_by_email(self, email: str) -> Person | None:
        """Return the person with this address, given in its stored form (``clean_email``)."""

    def find_by_subject(self, subject: str) -> Person | None:
        """Return the person that the identity provider knows by this id: theirs there, or here.

        Who is known there by another id is not found by the one that they have here.
        """

    def lock(self, person_id: str) -> Person | None:
        """Return a person, locked until the transaction ends."""

    def save(self, person: Person) -> None:
        """Write a changed person that ``lock`` returned.

        Raises:
            PersonNotFoundError: No person has this id.
            ReferenceConflictError: The address or the subject is another person's.
        """
