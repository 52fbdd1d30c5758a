"""Profiles and their local passwords."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.errors import EmailTakenError
from creditcore.domain.people import Person, Role
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import NOON


class PeopleContract:
    """Profiles and local passwords."""

    def test_a_person_comes_back_as_stored(self, transactions: Transactions) -> None:
        person = Person(id="p-1", email="amina@example.com", role=Role.ADMIN, created_at=NOON)
        with transactions.begin() as tx:
            tx.people.add(person)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.people.find("p-1") == person
            assert tx.people.find_by_email("amina@example.com") == person
            assert tx.people.find("p-2") is None
            assert tx.people.find_by_email("somebody@example.com") is None

    def test_an_address_has_one_account(self, transactions: Transactions) -> None:
        person = Person(id="p-1", email="amina@example.com", created_at=NOON)
        with transactions.begin() as tx:
            tx.people.add(person)
            tx.commit()

        with pytest.raises(EmailTakenError), transactions.begin() as tx:
            tx.people.add(replace(person, id="p-2"))
            tx.commit()

    def test_a_password_hash_can_be_replaced(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.people.add(Person(id="p-1", email="amina@example.com", created_at=NOON))
            tx.commit()

        for stored in ("one", "two"):
            with transactions.begin() as tx:
                tx.people.set_password_hash("p-1", stored)
                tx.commit()

        with transactions.begin() as tx:
            assert tx.people.password_hash("p-1") == "two"
            assert tx.people.password_hash("p-2") is None
