"""People in ``profiles``."""

from __future__ import annotations

from typing import Any

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import EmailTakenError, PersonNotFoundError
from creditcore.domain.people import Person, Role

from ..instants import instant, micros
from ..session import Session


class PonyPeople:
    """Who has an account."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._profile = session.db.Profile

    def add(self, person: Person) -> None:
        with self._session.translated(taken=EmailTakenError()):
            self._profile(**person_columns(person)).flush()

    def find(self, person_id: str) -> Person | None:
        with self._session.translated():
            row = self._profile.get(id=person_id)
        return None if row is None else person_from_row(row)

    def find_by_email(self, email: str) -> Person | None:
        with self._session.translated():
            row = self._profile.get(email=email)
        return None if row is None else person_from_row(row)

    def find_by_subject(self, subject: str) -> Person | None:
        with self._session.translated():
            row = self._profile.get(subject=subject) or self._profile.get(id=subject, subject=None)
        return None if row is None else person_from_row(row)

    def lock(self, person_id: str) -> Person | None:
        """Return a person, locked until the transaction ends.

        Raises:
            StoreBusyError: They were found before in this transaction, and changed since.
        """
        with self._session.translated():
            row = self._profile.get_for_update(id=person_id)
        return None if row is None else person_from_row(row)

    def save(self, person: Person) -> None:
        changes = person_columns(person)
        with self._session.translated():
            row = self._profile.get_for_update(id=changes.pop("id"))
            if row is not None:
                row.set(**changes)
                row.flush()
        if row is None:
            raise PersonNotFoundError(person.id)


def person_columns(person: Person) -> dict[str, object]:
    """Return a row of ``profiles``."""
    return {
        "id": person.id,
        "email": person.email,
        "role": person.role.value,
        "blocked": person.blocked,
        "session_epoch": person.session_epoch,
        "created_at": micros(person.created_at),
        "name": person.name,
        "timezone": person.timezone,
        "shown_currency": person.shown_currency,
        "subject": person.subject or None,
        "company": person.buyer.company,
        "address": person.buyer.address,
        "tax_number": person.buyer.tax_number,
    }


def person_from_row(row: Any) -> Person:
    """Return the person of a row."""
    return Person(
        id=row.id,
        email=row.email,
        created_at=instant(row.created_at),
        role=Role(row.role),
        blocked=bool(row.blocked),
        session_epoch=row.session_epoch,
        name=row.name,
        timezone=row.timezone,
        shown_currency=row.shown_currency,
        subject=row.subject or "",
        buyer=BuyerDetails(company=row.company, address=row.address, tax_number=row.tax_number),
    )
