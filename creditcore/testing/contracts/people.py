"""Profiles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import (
    EmailTakenError,
    PersonNotFoundError,
    ReferenceConflictError,
)
from creditcore.domain.people import Person, Role
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import NOON, at_once


class PeopleContract:
    """Profiles."""

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

    def test_a_changed_person_comes_back_as_saved(self, transactions: Transactions) -> None:
        person = Person(id="p-1", email="amina@example.com", created_at=NOON)
        with transactions.begin() as tx:
            tx.people.add(person)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.people.lock("p-1") == person
            tx.people.save(replace(person, role=Role.ADMIN, blocked=True, session_epoch=2**40))
            tx.commit()

        with transactions.begin() as tx:
            found = tx.people.find("p-1")
        assert found == replace(person, role=Role.ADMIN, blocked=True, session_epoch=2**40)

    def test_a_buyer_s_details_come_back_as_saved(self, transactions: Transactions) -> None:
        buyer = BuyerDetails(
            company=" Jua Labs ", address="Moi Av.\u00a01, \u5c71", tax_number="-0"
        )
        with transactions.begin() as tx:
            tx.people.add(Person(id="p-1", email="p-1@example.com", created_at=NOON, buyer=buyer))
            tx.people.add(Person(id="p-2", email="p-2@example.com", created_at=NOON))
            tx.commit()

        with transactions.begin() as tx:
            first, second = tx.people.lock("p-1"), tx.people.lock("p-2")
            assert first is not None
            assert second is not None
            assert (first.buyer, second.buyer) == (buyer, BuyerDetails())
            tx.people.save(replace(first, buyer=BuyerDetails()))
            tx.people.save(replace(second, buyer=buyer))
            tx.commit()

        with transactions.begin() as tx:
            assert tx.people.find("p-1") == replace(first, buyer=BuyerDetails())
            assert tx.people.find_by_email("p-2@example.com") == replace(second, buyer=buyer)

    def test_who_has_another_id_at_the_provider_is_found_by_that_alone(
        self, transactions: Transactions
    ) -> None:
        amina = Person(id="p-1", email="amina@example.com", created_at=NOON)
        juma = Person(id="p-2", email="juma@example.com", created_at=NOON)
        with transactions.begin() as tx:
            tx.people.add(amina)
            tx.people.add(juma)
            assert tx.people.lock("p-1") == amina
            tx.people.save(replace(amina, subject="theirs"))
            tx.commit()

        with transactions.begin() as tx:
            assert tx.people.find_by_subject("theirs") == replace(amina, subject="theirs")
            assert tx.people.find_by_subject("p-1") is None
            assert tx.people.find_by_subject("p-2") == juma
            assert tx.people.find("p-1") == replace(amina, subject="theirs")

    def test_an_account_of_the_provider_belongs_to_one_person(
        self, transactions: Transactions
    ) -> None:
        with transactions.begin() as tx:
            for name in ("p-1", "p-2"):
                person = Person(id=name, email=f"{name}@example.com", created_at=NOON)
                tx.people.add(person)
            tx.commit()

        def join(number: int) -> str:
            try:
                with transactions.begin() as tx:
                    person = tx.people.lock(f"p-{number + 1}")
                    assert person is not None
                    tx.people.save(replace(person, subject="theirs"))
                    tx.commit()
            except ReferenceConflictError:
                return "refused"
            return "joined"

        assert sorted(map(str, at_once(2, join))) == ["joined", "refused"]

    def test_an_unknown_person_can_be_neither_locked_nor_saved(
        self, transactions: Transactions
    ) -> None:
        with transactions.begin() as tx:
            assert tx.people.lock("p-1") is None
            with pytest.raises(PersonNotFoundError):
                tx.people.save(Person(id="p-1", email="amina@example.com", created_at=NOON))

    def test_a_change_of_a_person_waits_for_the_one_before(
        self, transactions: Transactions
    ) -> None:
        with transactions.begin() as tx:
            tx.people.add(Person(id="p-1", email="amina@example.com", created_at=NOON))
            tx.commit()

        def end_sessions(_: int) -> None:
            with transactions.begin() as tx:
                person = tx.people.lock("p-1")
                assert person is not None
                tx.people.save(person.end_sessions())
                tx.commit()

        assert at_once(4, end_sessions) == [None] * 4

        with transactions.begin() as tx:
            person = tx.people.find("p-1")
        assert person is not None
        assert person.session_epoch == 4
