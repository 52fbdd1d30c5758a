"""Let people say how they are called, where they are, and what they want on their receipts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from creditcore.domain.buyers import clean_buyer
from creditcore.domain.errors import InvalidRequestError, PersonNotFoundError
from creditcore.domain.people import Person, clean_name, clean_timezone
from creditcore.ports.store_ports import Commits, HasPeople
from creditcore.ports.transactions import Begins


class ChangeProfileTransaction(HasPeople, Commits, Protocol):
    """What changing a profile reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProfile:
    """Change what a person says about themselves.

    Attributes:
        currencies: Those that amounts can be shown in beside US dollars.
    """

    transactions: Begins[ChangeProfileTransaction]
    currencies: Collection[str] = ()

    def change(self, person_id: str, *, name: str, timezone: str, shown_currency: str) -> Person:
        """Return the person as they are now; a repeat changes nothing.

        Raises:
            InvalidRequestError: One of the three cannot be; its field is named.
            PersonNotFoundError: No person has this id.
        """
        name, timezone = clean_name(name), clean_timezone(timezone)
        if shown_currency and shown_currency not in self.currencies:
            raise InvalidRequestError("Choose a currency from the list.", param="currency")
        with self.transactions.begin() as tx:
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            person = replace(person, name=name, timezone=timezone, shown_currency=shown_currency)
            tx.people.save(person)
            tx.commit()
        return person

    def put_on_receipts(
        self, person_id: str, *, company: str, address: str, tax_number: str
    ) -> Person:
        """Return the person as documents that are issued from now on name them.

        Raises:
            InvalidRequestError: One of the three cannot be; its field is named.
            PersonNotFoundError: No person has this id.
        """
        buyer = clean_buyer(company=company, address=address, tax_number=tax_number)
        with self.transactions.begin() as tx:
            person = tx.people.lock(person_id)
            if person is None:
                raise PersonNotFoundError(person_id)
            person = replace(person, buyer=buyer)
            tx.people.save(person)
            tx.commit()
        return person

    def place(self, person_id: str, timezone: str) -> None:
        """Note the zone of a person's device, unless they have a zone or this is none."""
        try:
            timezone = clean_timezone(timezone)
        except InvalidRequestError:
            return
        with self.transactions.begin() as tx:
            person = tx.people.lock(person_id)
            if person is not None and timezone and not person.timezone:
                tx.people.save(replace(person, timezone=timezone))
                tx.commit()
