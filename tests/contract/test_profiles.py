"""What people say about themselves is kept as they said it, or refused by its field."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.errors import InvalidRequestError, PersonNotFoundError
from creditcore.domain.people import Person
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts import NOON
from creditcore.usecases.people.change_profile import ChangeProfile

GIVEN = {"company": "Jua Labs Ltd", "address": "Moi Avenue 1, Nairobi", "tax_number": "P051234567A"}
FIELDS = {"name": "Amina", "timezone": "Africa/Nairobi", "shown_currency": "KES"}


@pytest.fixture
def profiles(any_store: Transactions) -> ChangeProfile:
    with any_store.begin() as tx:
        tx.people.add(Person(id="p-1", email="amina@example.com", created_at=NOON))
        tx.commit()
    return ChangeProfile(transactions=any_store, currencies=["KES"])


def found(store: Transactions) -> Person:
    with store.begin() as tx:
        person = tx.people.find("p-1")
    assert person is not None
    return person


def test_a_profile_is_kept(profiles: ChangeProfile, any_store: Transactions) -> None:
    assert found(any_store).zone is UTC

    changed = profiles.change("p-1", **{**FIELDS, "name": "  Amina \t Otieno "})

    assert found(any_store) == changed
    assert (changed.name, changed.zone) == ("Amina Otieno", ZoneInfo("Africa/Nairobi"))


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("name", "x" * 81, "name"),
        ("name", "a\x00b", "name"),
        ("timezone", "Africa/Gotham", "timezone"),
        ("timezone", "../../etc/passwd", "timezone"),
        ("timezone", "africa/nairobi", "timezone"),
        ("shown_currency", "EUR", "currency"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    profiles: ChangeProfile, any_store: Transactions, field: str, value: str, param: str
) -> None:
    before = found(any_store)

    with pytest.raises(InvalidRequestError) as refusal:
        profiles.change("p-1", **{**FIELDS, field: value})

    assert refusal.value.param == param
    assert found(any_store) == before


def test_what_receipts_name_is_kept_beside_the_profile(
    profiles: ChangeProfile, any_store: Transactions
) -> None:
    profiles.change("p-1", **FIELDS)

    spaced = {**GIVEN, "address": " Moi Avenue 1,\r\n\tNairobi "}
    changed = profiles.put_on_receipts("p-1", **spaced)

    assert changed.buyer == BuyerDetails(**GIVEN)
    assert found(any_store) == changed
    assert profiles.change("p-1", **{**FIELDS, "name": "Juma"}).buyer == changed.buyer
    emptied = profiles.put_on_receipts("p-1", company="", address=" ", tax_number="")
    assert emptied.buyer.is_empty
    assert emptied.name == "Juma"


@pytest.mark.parametrize(
    ("field", "longest"), [("company", 120), ("address", 200), ("tax_number", 40)]
)
def test_what_no_receipt_can_print_is_refused_by_its_field(
    profiles: ChangeProfile, any_store: Transactions, field: str, longest: int
) -> None:
    before = profiles.put_on_receipts("p-1", **{**GIVEN, field: "x" * longest})

    for value in ("x" * (longest + 1), "a\x00b", "a\x1b[2Jb", "a\u202eb", "\ud800"):
        with pytest.raises(InvalidRequestError) as refusal:
            profiles.put_on_receipts("p-1", **{**GIVEN, field: value})
        assert refusal.value.param == field

    assert found(any_store) == before


def test_a_device_s_zone_is_taken_once_and_only_if_it_is_one(
    profiles: ChangeProfile, any_store: Transactions
) -> None:
    for zone, kept in [("", ""), ("nowhere", ""), ("Africa/Lagos", "Africa/Lagos"),
                       ("Asia/Kathmandu", "Africa/Lagos")]:  # fmt: skip
        profiles.place("p-1", zone)
        assert found(any_store).timezone == kept
    profiles.place("p-2", "Africa/Lagos")


def test_an_unknown_id_has_no_profile(profiles: ChangeProfile) -> None:
    with pytest.raises(PersonNotFoundError):
        profiles.change("p-2", **FIELDS)
    with pytest.raises(PersonNotFoundError):
        profiles.put_on_receipts("p-2", **GIVEN)
