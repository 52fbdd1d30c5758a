"""Local accounts move to a project, and everybody goes on as themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.local_auth import LocalIdentityOperators, Passwords
from creditcore.domain.errors import BadCredentialsError, IdentityUnavailableError
from creditcore.domain.identities import Identity
from creditcore.domain.sessions import Device
from creditcore.ports.transactions import Transactions
from creditcore.system import SystemClock, SystemIds
from creditcore.testing.contracts.identity_house import PASSWORD, signed_in
from creditcore.testing.memory import MemoryTransactions
from creditcore.testing.memory_identity import MemoryVault
from creditcore.usecases.jobs.run_jobs import RunJobs
from creditcore.usecases.people.close_account import DELETE_IDENTITY, CloseAccount
from creditcore.usecases.people.keep_sessions import KeepSessions
from creditcore.usecases.people.move_accounts import Move, MoveAccounts
from creditcore.usecases.people.session_grants import SessionGrants
from creditcore.usecases.people.welcome_person import WelcomePerson
from tests.integration.supabase_auth.house import SupabaseHouse


@pytest.fixture
def store() -> MemoryTransactions:
    return MemoryTransactions()


@pytest.fixture
def local(store: MemoryTransactions) -> LocalIdentityOperators:
    return LocalIdentityOperators(store, SystemClock(), SystemIds(), passwords=Passwords())


@pytest.fixture
def mover(store: MemoryTransactions, house: SupabaseHouse) -> MoveAccounts:
    return MoveAccounts(transactions=store, clock=SystemClock(), target=house.operators)


def results(mover: MoveAccounts, *, dry_run: bool = False) -> dict[str, Move]:
    return {moved.person.email: moved.result for moved in mover.run(dry_run=dry_run)}


def change(store: Transactions, person_id: str, **changes: object) -> None:
    with store.begin() as tx:
        credential = tx.credentials.lock(person_id)
        assert credential
        tx.credentials.save(replace(credential, **changes))
        tx.commit()


def open_a_mail(store: Transactions, person_id: str) -> None:
    change(store, person_id, confirmed_at=datetime.now(UTC) + timedelta(minutes=1))


def test_people_keep_their_id_and_their_password(
    local: LocalIdentityOperators, mover: MoveAccounts, house: SupabaseHouse
) -> None:
    anna = local.create("anna@example.com", PASSWORD, confirmed=True)

    assert results(mover) == {"anna@example.com": Move.MOVED}

    back = signed_in(house.provider.sign_in("anna@example.com", PASSWORD))
    assert back.identity.subject == anna.subject
    assert back.identity.email_verified
    with pytest.raises(BadCredentialsError):
        house.provider.sign_in("anna@example.com", "another teapot of brass")


def test_running_it_again_moves_only_what_is_left(
    local: LocalIdentityOperators, mover: MoveAccounts, house: SupabaseHouse
) -> None:
    for number in range(3):
        local.create(f"p{number}@example.com", PASSWORD, confirmed=True)
    # Stopped after the first.
    next(mover.run())

    found = list(results(mover).values())

    assert sorted(found) == [Move.MOVED, Move.MOVED, Move.THERE]
    assert set(results(mover).values()) == {Move.THERE}
    assert len(house.project.control("GET", "/users")) == 3


def test_nothing_is_done_by_an_address_that_was_never_confirmed(
    local: LocalIdentityOperators,
    store: MemoryTransactions,
    mover: MoveAccounts,
    house: SupabaseHouse,
) -> None:
    local.create("new@example.com", PASSWORD, confirmed=False)
    old = local.create("old@example.com", PASSWORD, confirmed=True)
    change(store, old.subject, confirmed_at=datetime(1970, 1, 1, tzinfo=UTC))

    assert set(results(mover).values()) == {Move.UNCONFIRMED}
    assert house.project.control("GET", "/users") == []


def test_a_confirmed_account_there_is_joined_and_its_owner_goes_on_as_themselves(
    local: LocalIdentityOperators,
    store: MemoryTransactions,
    mover: MoveAccounts,
    house: SupabaseHouse,
) -> None:
    welcome = WelcomePerson(transactions=store, clock=SystemClock(), ids=SystemIds())
    ours = welcome.welcome(local.create("anna@example.com", PASSWORD, confirmed=True))
    open_a_mail(store, ours.id)
    theirs = house.operators.create("anna@example.com", "another teapot of brass", confirmed=True)

    assert results(mover, dry_run=True) == {"anna@example.com": Move.JOINED}
    assert store.committed.people[ours.id].subject == ""
    assert results(mover) == {"anna@example.com": Move.JOINED}
    assert results(mover) == {"anna@example.com": Move.THERE}

    outcome = signed_in(house.provider.sign_in("anna@example.com", "another teapot of brass"))
    person = welcome.welcome(outcome.identity)
    sessions = KeepSessions(
        transactions=store,
        clock=SystemClock(),
        ids=SystemIds(),
        provider=house.provider,
        grants=SessionGrants(
            transactions=store, clock=SystemClock(), vault=MemoryVault(), provider=house.provider
        ),
    )
    begun = sessions.begin(person, outcome, device=Device())
    assert person.id == ours.id
    assert person.subject == theirs.subject != ours.id
    assert len(store.committed.wallets) == 1
    assert sessions.check(begun.session).subject == theirs.subject
    assert sessions.grant_of(begun.session).subject == theirs.subject
    # Closing the account here forgets the one there.
    closing = CloseAccount(transactions=store, clock=SystemClock(), operators=house.operators)
    closing.close(person.id)
    RunJobs(
        transactions=store,
        clock=SystemClock(),
        handlers={DELETE_IDENTITY: closing.delete_identity},
    ).run_due(DELETE_IDENTITY)
    assert house.project.control("GET", "/users") == []


@pytest.mark.parametrize("confirmed", ["here", "there"])
def test_accounts_are_joined_only_by_an_address_that_both_have_confirmed(
    local: LocalIdentityOperators,
    store: MemoryTransactions,
    mover: MoveAccounts,
    house: SupabaseHouse,
    confirmed: str,
) -> None:
    # The person who made the account here may have typed another's address.
    anna = local.create("anna@example.com", PASSWORD, confirmed=True)
    if confirmed == "here":
        open_a_mail(store, anna.subject)
    other = house.operators.create(
        "anna@example.com", "another teapot of brass", confirmed=confirmed == "there"
    )

    assert results(mover) == {"anna@example.com": Move.CONFLICT}
    found = house.operators.find("anna@example.com")
    assert found
    assert found.subject == other.subject


def test_an_account_there_that_is_anothers_here_is_left_to_a_person(
    local: LocalIdentityOperators,
    store: MemoryTransactions,
    mover: MoveAccounts,
    house: SupabaseHouse,
) -> None:
    anna = local.create("anna@example.com", PASSWORD, confirmed=True)
    open_a_mail(store, anna.subject)
    theirs = house.operators.create("anna@example.com", "another teapot of brass", confirmed=True)
    # They came by that account before, when it had another address.
    earlier = Identity(subject=theirs.subject, email="old@example.com", email_verified=True)
    WelcomePerson(transactions=store, clock=SystemClock(), ids=SystemIds()).welcome(earlier)

    assert results(mover)["anna@example.com"] is Move.CONFLICT
    assert store.committed.people[anna.subject].subject == ""


def test_a_dry_run_changes_nothing(
    local: LocalIdentityOperators, mover: MoveAccounts, house: SupabaseHouse
) -> None:
    local.create("anna@example.com", PASSWORD, confirmed=True)

    assert results(mover, dry_run=True) == {"anna@example.com": Move.MOVED}
    assert house.project.control("GET", "/users") == []


def test_a_second_factor_that_does_not_move_is_said(
    local: LocalIdentityOperators, store: MemoryTransactions, mover: MoveAccounts
) -> None:
    anna = local.create("anna@example.com", PASSWORD, confirmed=True)
    change(store, anna.subject, totp_since=datetime.now(UTC))

    [moved] = mover.run()

    assert moved.loses_second_factor


def test_a_broken_server_stops_it_and_the_next_run_goes_on(
    local: LocalIdentityOperators, mover: MoveAccounts, house: SupabaseHouse
) -> None:
    local.create("anna@example.com", PASSWORD, confirmed=True)
    house.project.fault("admin", drop=True)

    with pytest.raises(IdentityUnavailableError):
        list(mover.run())

    assert results(mover) == {"anna@example.com": Move.MOVED}
