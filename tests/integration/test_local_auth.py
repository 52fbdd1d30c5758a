"""Accounts in our own database: real Argon2 hashes, in an in-memory store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal, TypeVar

import pytest
from argon2 import PasswordHasher, extract_parameters

from adapters.local_auth import (
    LocalIdentityOperators,
    LocalIdentityProvider,
    Passwords,
    Tokens,
    password_hasher,
)
from creditcore import SystemIds
from creditcore.domain.errors import (
    BadCredentialsError,
    EmailTakenError,
    InvalidRequestError,
    PersonNotFoundError,
    ReferenceConflictError,
    StoreBusyError,
)
from creditcore.domain.identities import Identity
from creditcore.domain.people import Person
from creditcore.ports.identity import IdentityOperators, IdentityProvider
from creditcore.testing.contracts.identity_house import signed_in
from creditcore.testing.memory import (
    FixedClock,
    MemoryTransaction,
    MemoryTransactions,
)
from creditcore.testing.memory_identity import MemoryVault

EMAIL = "amina@example.com"
PASSWORD = "correct horse battery"
OTHER_PASSWORD = "wrong horse battery"

T = TypeVar("T")


def cheap_hasher(*, time_cost: int = 1) -> PasswordHasher:
    """The real algorithm with the least work it allows."""
    return PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1)


@pytest.fixture
def transactions() -> MemoryTransactions:
    return MemoryTransactions()


@pytest.fixture
def provider(transactions: MemoryTransactions) -> Accounts:
    return a_provider(transactions)


class Accounts:
    """Both sides of the adapter, of a site that sends no mail."""

    def __init__(self, transactions: MemoryTransactions, passwords: Passwords) -> None:
        self.provider: IdentityProvider = LocalIdentityProvider(
            transactions,
            FixedClock(),
            SystemIds(),
            passwords=passwords,
            tokens=Tokens("a secret"),
            vault=MemoryVault(),
        )
        self.operators: IdentityOperators = LocalIdentityOperators(
            transactions, FixedClock(), SystemIds(), passwords=passwords
        )

    def sign_up(self, email: str, password: str) -> Identity:
        return signed_in(self.provider.sign_up(email, password)).identity

    def sign_in(self, email: str, password: str) -> Identity:
        return signed_in(self.provider.sign_in(email, password)).identity

    def set_password(self, person: Person, password: str) -> None:
        self.operators.set_password(person.id, password)


def a_provider(
    transactions: MemoryTransactions,
    *,
    hasher: PasswordHasher | None = None,
    run: RecordingRunner | None = None,
) -> Accounts:
    return Accounts(transactions, Passwords(hasher=hasher or cheap_hasher(), run=run))


class RecordingRunner:
    """Counts pieces of work, and may do something before one of them."""

    def __init__(self, before: Callable[[int], None] = lambda _: None) -> None:
        self.count = 0
        self._before = before

    def __call__(self, work: Callable[[], T], /) -> T:
        self.count += 1
        self._before(self.count)
        return work()


class FailingCommits(MemoryTransactions):
    """A store that notices trouble only at commit, as a database does under a race."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    @contextmanager
    def begin(self) -> Iterator[MemoryTransaction]:
        with super().begin() as tx:
            yield tx if self.error is None else FailingCommit(self, self.error)


class FailingCommit(MemoryTransaction):
    def __init__(self, store: MemoryTransactions, error: Exception) -> None:
        super().__init__(store)
        self._error = error

    def commit(self) -> None:
        raise self._error


def stored_person(transactions: MemoryTransactions) -> Person:
    with transactions.begin() as tx:
        person = tx.people.find_by_email(EMAIL)
    assert person is not None
    return person


def stored_hash(transactions: MemoryTransactions) -> str:
    person = stored_person(transactions)
    with transactions.begin() as tx:
        credential = tx.credentials.find(person.id)
    assert credential is not None
    return credential.password_hash


def block(transactions: MemoryTransactions) -> None:
    person = stored_person(transactions)
    transactions.committed.people[person.id] = replace(person, blocked=True)


# Signing up


def test_signing_up_makes_a_person(provider: Accounts, transactions: MemoryTransactions) -> None:
    identity = provider.sign_up("  Amina@Example.COM ", PASSWORD)

    person = stored_person(transactions)
    assert identity == Identity(
        subject=person.id, email=EMAIL, email_verified=True, session_epoch=0
    )
    assert person.created_at == FixedClock().now()


def test_only_an_argon2id_hash_is_stored(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    provider.sign_up(EMAIL, PASSWORD)

    assert stored_hash(transactions).startswith("$argon2id$")
    assert PASSWORD not in repr(transactions.committed)


def test_equal_passwords_have_different_hashes(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    provider.sign_up(EMAIL, PASSWORD)
    provider.sign_up("brian@example.com", PASSWORD)

    assert len({each.password_hash for each in transactions.committed.credentials.values()}) == 2


def test_taken_address_is_refused_and_keeps_its_password(provider: Accounts) -> None:
    first = provider.sign_up(EMAIL, PASSWORD)

    with pytest.raises(EmailTakenError):
        provider.sign_up(EMAIL.upper(), OTHER_PASSWORD)
    assert provider.sign_in(EMAIL, PASSWORD) == first


def test_address_taken_at_the_last_moment_is_refused() -> None:
    transactions = FailingCommits(ReferenceConflictError("email"))

    with pytest.raises(EmailTakenError):
        a_provider(transactions).sign_up(EMAIL, PASSWORD)
    assert transactions.committed.people == {}


def test_of_many_who_want_an_address_at_once_one_gets_it(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    def try_it(number: int) -> bool:
        try:
            provider.sign_up(EMAIL, f"password of number {number}")
        except EmailTakenError:
            return False
        return True

    with ThreadPoolExecutor(max_workers=4) as pool:
        won = list(pool.map(try_it, range(12)))

    assert won.count(True) == 1
    assert len(transactions.committed.people) == 1
    assert provider.sign_in(EMAIL, f"password of number {won.index(True)}")


@pytest.mark.parametrize("email", ["", "amina", "@example.com", "amina@", "a b@example.com"])
def test_text_that_is_no_address_is_refused(provider: Accounts, email: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        provider.sign_up(email, PASSWORD)
    assert caught.value.param == "email"


@pytest.mark.parametrize(
    "password",
    ["", "123456789", "x" * 201, EMAIL, f" {EMAIL.upper()} ", "ten\0letters", "ten \ud800 letters"],
    ids=["empty", "short", "long", "address", "address in disguise", "NUL", "surrogate"],
)
def test_unusable_password_is_refused(provider: Accounts, password: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        provider.sign_up(EMAIL, password)
    assert caught.value.param == "password"


@pytest.mark.parametrize(
    "password",
    [
        "0123454729",
        "abcde" * 40,
        "🦒🐘🐆🐍🦏" * 2,
        "🦒🐘🐆🐍🦏" * 40,
        " leading and trailing ",
        "ﷺ" * 200,
    ],
)
def test_length_is_counted_in_characters_as_typed(provider: Accounts, password: str) -> None:
    identity = provider.sign_up(EMAIL, password)

    assert provider.sign_in(EMAIL, password) == identity


# Signing in


def test_signing_in_finds_the_same_person(provider: Accounts) -> None:
    signed_up = provider.sign_up(EMAIL, PASSWORD)

    assert provider.sign_in(" AMINA@example.com", PASSWORD) == signed_up


def test_password_typed_with_other_code_points_is_the_same(provider: Accounts) -> None:
    provider.sign_up(EMAIL, "na\u00efvet\u00e9 for all")

    assert provider.sign_in(EMAIL, "nai\u0308vete\u0301 for all")


@pytest.mark.parametrize(
    "password",
    [
        "",
        PASSWORD[:-1],
        f"{PASSWORD} ",
        PASSWORD.upper(),
        OTHER_PASSWORD,
        f"{PASSWORD}\0",
        "x" * 201,
        "surrogate \ud800",
    ],
)
def test_wrong_password_is_refused(provider: Accounts, password: str) -> None:
    provider.sign_up(EMAIL, PASSWORD)

    with pytest.raises(BadCredentialsError):
        provider.sign_in(EMAIL, password)


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", "", "a\0@example.com"])
def test_unknown_address_is_refused_in_the_same_words(provider: Accounts, email: str) -> None:
    with pytest.raises(BadCredentialsError) as caught:
        provider.sign_in(email, PASSWORD)
    assert str(caught.value) == str(BadCredentialsError())


def test_blocked_person_is_refused_in_the_same_words(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    provider.sign_up(EMAIL, PASSWORD)
    block(transactions)

    with pytest.raises(BadCredentialsError) as caught:
        provider.sign_in(EMAIL, PASSWORD)
    assert str(caught.value) == str(BadCredentialsError())


def test_person_without_a_local_password_is_refused(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    with transactions.begin() as tx:
        tx.people.add(Person(id="1", email=EMAIL, created_at=FixedClock().now()))
        tx.commit()

    with pytest.raises(BadCredentialsError):
        provider.sign_in(EMAIL, PASSWORD)


@pytest.mark.parametrize("situation", ["unknown", "wrong password", "blocked", "no password"])
def test_every_refusal_costs_the_work_of_one_verification(
    transactions: MemoryTransactions, situation: str
) -> None:
    verified: list[str] = []

    class WatchedHasher(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            verified.append(str(hash))
            return super().verify(hash, password)

    hasher = WatchedHasher(time_cost=1, memory_cost=8, parallelism=1)
    provider = a_provider(transactions, hasher=hasher)
    if situation != "unknown":
        provider.sign_up(EMAIL, PASSWORD)
    if situation == "blocked":
        block(transactions)
    if situation == "no password":
        transactions.committed.credentials.clear()

    with pytest.raises(BadCredentialsError):
        provider.sign_in(EMAIL, OTHER_PASSWORD if situation == "wrong password" else PASSWORD)

    assert [extract_parameters(each) for each in verified] == [
        extract_parameters(cheap_hasher().hash(PASSWORD))
    ]


# A new password


def test_a_new_password_takes_the_place_of_the_old_one(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    signed_up = provider.sign_up(EMAIL, PASSWORD)

    provider.set_password(stored_person(transactions), OTHER_PASSWORD)

    assert provider.sign_in(EMAIL, OTHER_PASSWORD).subject == signed_up.subject
    with pytest.raises(BadCredentialsError):
        provider.sign_in(EMAIL, PASSWORD)


def test_a_new_password_ends_the_sessions_of_its_owner(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    provider.sign_up(EMAIL, PASSWORD)

    provider.set_password(stored_person(transactions), OTHER_PASSWORD)

    assert stored_person(transactions).session_epoch == 1
    assert provider.sign_in(EMAIL, OTHER_PASSWORD).session_epoch == 1


def test_a_person_who_showed_the_old_password_a_moment_ago_is_of_the_epoch_before(
    transactions: MemoryTransactions,
) -> None:
    a_provider(transactions).sign_up(EMAIL, PASSWORD)
    other_process = a_provider(transactions)

    def set_password_before_it_is_compared(_: int) -> None:
        other_process.set_password(stored_person(transactions), OTHER_PASSWORD)

    run = RecordingRunner(before=set_password_before_it_is_compared)
    identity = a_provider(transactions, run=run).sign_in(EMAIL, PASSWORD)

    assert identity.session_epoch == 0
    assert stored_person(transactions).session_epoch == 1


def test_a_person_without_a_local_password_can_be_given_one(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    person = Person(id="1", email=EMAIL, created_at=FixedClock().now())
    with transactions.begin() as tx:
        tx.people.add(person)
        tx.commit()

    provider.set_password(person, PASSWORD)

    assert provider.sign_in(EMAIL, PASSWORD).subject == person.id


def test_a_new_password_keeps_the_rules(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    provider.sign_up(EMAIL, PASSWORD)

    with pytest.raises(InvalidRequestError):
        provider.set_password(stored_person(transactions), EMAIL)
    assert provider.sign_in(EMAIL, PASSWORD).session_epoch == 0


def test_an_unknown_person_cannot_be_given_a_password(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    with pytest.raises(PersonNotFoundError):
        provider.set_password(Person(id="1", email=EMAIL, created_at=FixedClock().now()), PASSWORD)
    assert transactions.committed.credentials == {}


# Hashing


def test_hashing_happens_outside_transactions(transactions: MemoryTransactions) -> None:
    def open_another(_: int) -> None:
        # Raises where this thread has one open already.
        with transactions.begin():
            pass

    run = RecordingRunner(before=open_another)
    provider = a_provider(transactions, run=run)

    provider.sign_up(EMAIL, PASSWORD)
    provider.sign_in(EMAIL, PASSWORD)
    a_provider(transactions, hasher=cheap_hasher(time_cost=2), run=run).sign_in(EMAIL, PASSWORD)

    assert run.count == 1 + 1 + 2


def test_hash_with_old_parameters_is_replaced_when_its_owner_signs_in(
    transactions: MemoryTransactions,
) -> None:
    signed_up = a_provider(transactions).sign_up(EMAIL, PASSWORD)
    stronger = a_provider(transactions, hasher=cheap_hasher(time_cost=2))

    assert stronger.sign_in(EMAIL, PASSWORD) == signed_up

    assert extract_parameters(stored_hash(transactions)).time_cost == 2
    assert stronger.sign_in(EMAIL, PASSWORD) == signed_up


def test_hash_with_old_parameters_is_kept_when_a_thief_tries(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    provider.sign_up(EMAIL, PASSWORD)
    before = stored_hash(transactions)

    with pytest.raises(BadCredentialsError):
        a_provider(transactions, hasher=cheap_hasher(time_cost=2)).sign_in(EMAIL, OTHER_PASSWORD)

    assert stored_hash(transactions) == before


def test_replacing_a_hash_never_undoes_a_change_of_password(
    provider: Accounts, transactions: MemoryTransactions
) -> None:
    identity = provider.sign_up(EMAIL, PASSWORD)
    changed_hash = cheap_hasher().hash(OTHER_PASSWORD)

    def change_password_before_the_rehash(count: int) -> None:
        if count == 2:
            with transactions.begin() as tx:
                credential = tx.credentials.lock(identity.subject)
                assert credential
                tx.credentials.save(replace(credential, password_hash=changed_hash))
                tx.commit()

    run = RecordingRunner(before=change_password_before_the_rehash)
    a_provider(transactions, hasher=cheap_hasher(time_cost=2), run=run).sign_in(EMAIL, PASSWORD)

    assert run.count == 2
    assert stored_hash(transactions) == changed_hash


def test_signing_in_succeeds_when_the_better_hash_cannot_be_stored() -> None:
    transactions = FailingCommits(StoreBusyError())
    transactions.error = None
    signed_up = a_provider(transactions).sign_up(EMAIL, PASSWORD)
    transactions.error = StoreBusyError()

    stronger = a_provider(transactions, hasher=cheap_hasher(time_cost=2))

    assert stronger.sign_in(EMAIL, PASSWORD) == signed_up
    assert extract_parameters(stored_hash(transactions)).time_cost == 1


def test_default_hasher_is_argon2id_as_owasp_advises(
    transactions: MemoryTransactions,
) -> None:
    a_provider(transactions, hasher=password_hasher()).sign_up(EMAIL, PASSWORD)

    parameters = extract_parameters(stored_hash(transactions))
    assert not password_hasher().check_needs_rehash(stored_hash(transactions))
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)
