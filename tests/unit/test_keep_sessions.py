"""Sessions go on, are refreshed once for all, and end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from creditcore.domain.errors import IdentityUnavailableError, SessionEndedError
from creditcore.domain.identities import (
    MAX_GRANT_BYTES,
    Grant,
    Identity,
    SignedIn,
    SignOutScope,
)
from creditcore.domain.people import Person
from creditcore.domain.sessions import Device, Stage, secret_hash
from creditcore.testing.contracts import at_once
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.testing.memory_identity import MemoryVault
from creditcore.usecases.people.keep_sessions import Begun, KeepSessions
from creditcore.usecases.people.session_grants import GRACE, LEASE, SessionGrants

HOUR = timedelta(hours=1)
HERE = Device(name="Firefox on Linux", place="41.90.64.0/24")


@dataclass
class Provider:
    """An identity service whose grants live for an hour, each refreshed once."""

    clock: FixedClock
    newest: dict[str, bytes] = field(default_factory=dict)
    refreshed: int = 0
    signed_out: list[tuple[str, SignOutScope]] = field(default_factory=list)
    fault: Exception | None = None
    while_refreshing: Callable[[], object] = lambda: None

    def grant(self, secret: bytes, session_id: str = "theirs") -> Grant:
        self.newest[session_id] = secret
        return Grant(
            subject="p-1",
            session_id=session_id,
            secret=secret,
            good_until=self.clock.now() + HOUR,
        )

    def refresh(self, grant: Grant) -> SignedIn:
        self.while_refreshing()
        if self.fault:
            raise self.fault
        assert grant.secret == self.newest[grant.session_id], "a spent token was used again"
        self.refreshed += 1
        newer = self.grant(b"token %d" % self.refreshed, grant.session_id)
        return SignedIn(identity=an_identity(), grant=newer)

    def check(self, grant: Grant) -> Identity:
        if self.fault:
            raise self.fault
        assert grant.secret == self.newest[grant.session_id]
        return an_identity()

    def sign_out(self, grant: Grant, scope: SignOutScope) -> None:
        self.signed_out.append((grant.session_id, scope))


def an_identity() -> Identity:
    return Identity(subject="p-1", email="amina@example.com", email_verified=True)


class House:
    """Sessions of one person, with two processes that share the store."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.store = MemoryTransactions()
        self.provider = Provider(self.clock)
        self.person = Person(id="p-1", email="amina@example.com", created_at=self.clock.now())
        self.store.committed.people["p-1"] = self.person
        vault, ids = MemoryVault(), SequentialIds()
        provider: Any = self.provider  # what is used of one
        self.one, self.two = (
            KeepSessions(
                transactions=self.store,
                clock=self.clock,
                ids=ids,
                provider=provider,
                grants=SessionGrants(
                    transactions=self.store,
                    clock=self.clock,
                    vault=vault,
                    provider=provider,
                    sleep=self._sleep,
                ),
            )
            for _ in range(2)
        )

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def begin(self, **more: Any) -> Begun:
        grant = self.provider.grant(b"token", more.pop("session_id", "theirs"))
        outcome = SignedIn(identity=an_identity(), grant=grant)
        return self.one.begin(self.person, outcome, device=HERE, **more)

    def stored(self, begun: Begun) -> Any:
        return self.store.committed.sessions[begun.session.id]


@pytest.fixture
def house() -> House:
    return House()


def test_a_session_goes_on_for_who_holds_its_secret(house: House) -> None:
    begun = house.begin()

    kept = house.two.resume(begun.secret)

    assert kept
    assert kept.person == house.person
    assert house.two.grant_of(kept.session).secret == b"token"
    for other in ("", begun.session.id, begun.secret[:-1], begun.secret.upper(), "\ud800"):
        assert house.two.resume(other) is None


def test_neither_secret_nor_tokens_are_stored_in_plain(house: House) -> None:
    begun = house.begin()

    stored = house.stored(begun)

    assert begun.secret not in repr(vars(house.store.committed))
    assert stored.secret_hash == secret_hash(begun.secret)
    assert b"token" not in stored.sealed_grant
    assert begun.secret not in repr(begun.session)


@pytest.mark.parametrize(
    ("stage", "used_every", "ends_after"),
    [
        (Stage.OPEN, timedelta(days=13), timedelta(days=90)),
        (Stage.OPEN, timedelta(days=14), timedelta(days=14)),
        (Stage.SECOND_FACTOR, timedelta(minutes=1), timedelta(minutes=10)),
        (Stage.RECOVERING, timedelta(minutes=1), timedelta(minutes=10)),
        (Stage.NEW_PASSWORD, timedelta(minutes=1), timedelta(minutes=30)),
    ],
)
def test_a_session_ends_unused_and_in_any_case(
    house: House, stage: Stage, used_every: timedelta, ends_after: timedelta
) -> None:
    house.provider.while_refreshing = lambda: None
    begun = house.begin(stage=stage)
    house.store.committed.sessions[begun.session.id] = replace(begun.session, good_until=None)
    lasted = timedelta(0)

    while house.one.resume(begun.secret) and lasted < timedelta(days=100):
        house.clock.advance(used_every)
        lasted += used_every

    assert ends_after <= lasted < ends_after + used_every


def test_a_blocked_person_and_another_epoch_have_no_session(house: House) -> None:
    begun = house.begin()

    for changed in (house.person.block(), house.person.end_sessions()):
        house.store.committed.people["p-1"] = changed
        assert house.one.resume(begun.secret) is None


def test_eight_tabs_refresh_once_and_all_go_on(house: House) -> None:
    begun = house.begin()
    house.clock.advance(3 * HOUR)
    gate = threading.Event()
    # Real processes wait for each other; here the clock must stand still meanwhile.
    house.one, house.two = (
        replace(keeper, grants=replace(keeper.grants, sleep=lambda _: gate.wait(0.01)))
        for keeper in (house.one, house.two)
    )

    kept = at_once(8, lambda n: (house.one if n % 2 else house.two).resume(begun.secret))

    assert house.provider.refreshed == 1
    assert all(kept)
    assert {house.one.grant_of(one.session).secret for one in kept} == {b"token 1"}  # type: ignore[attr-defined]


def test_a_grant_is_refreshed_a_little_early(house: House) -> None:
    begun = house.begin()

    house.clock.advance(HOUR - timedelta(seconds=61))
    house.one.resume(begun.secret)
    early = house.provider.refreshed
    house.clock.advance(timedelta(seconds=1))
    house.one.resume(begun.secret)

    assert (early, house.provider.refreshed) == (0, 1)


def test_no_transaction_is_open_while_the_provider_is_asked(house: House) -> None:
    begun = house.begin()
    house.clock.advance(HOUR)

    def look() -> None:
        with house.store.begin():
            pass

    house.provider.while_refreshing = look

    assert house.one.resume(begun.secret)


def test_who_finds_another_refreshing_goes_on_with_what_there_is(house: House) -> None:
    begun = house.begin()
    house.clock.advance(HOUR - timedelta(seconds=30))
    seen = []
    house.provider.while_refreshing = lambda: seen.append(house.two.resume(begun.secret))

    house.one.resume(begun.secret)

    assert house.provider.refreshed == 1
    assert seen[0]


def test_a_process_that_died_while_refreshing_keeps_no_person_out_for_long(house: House) -> None:
    begun = house.begin()
    house.clock.advance(3 * HOUR)
    house.store.committed.sessions[begun.session.id] = replace(
        begun.session, refreshing_until=house.clock.now() + LEASE - timedelta(seconds=1)
    )

    assert house.two.resume(begun.secret)
    assert house.provider.refreshed == 1


def test_what_the_provider_ended_is_over_here(house: House) -> None:
    begun = house.begin()
    house.clock.advance(HOUR)
    house.provider.fault = SessionEndedError()

    assert house.one.resume(begun.secret) is None
    assert house.stored(begun).ended_at
    assert house.stored(begun).sealed_grant == b""


def test_while_the_provider_is_down_people_read_on_for_a_grace(house: House) -> None:
    begun = house.begin()
    house.provider.fault = IdentityUnavailableError()
    asked = []
    house.provider.while_refreshing = lambda: asked.append(house.clock.now())

    house.clock.advance(HOUR)
    for _ in range(5):
        assert house.one.resume(begun.secret)
    house.clock.advance(GRACE)
    with pytest.raises(IdentityUnavailableError):
        house.one.resume(begun.secret)
    assert len(asked) == 2

    house.provider.fault = None
    house.clock.advance(timedelta(minutes=1))
    assert house.one.resume(begun.secret)


def test_acts_that_matter_want_a_live_answer(house: House) -> None:
    begun = house.begin()

    assert house.one.check(begun.session).subject == "p-1"
    house.provider.fault = IdentityUnavailableError()
    with pytest.raises(IdentityUnavailableError):
        house.one.check(begun.session)
    assert house.one.resume(begun.secret)
    house.provider.fault = SessionEndedError()
    with pytest.raises(SessionEndedError):
        house.one.check(begun.session)
    assert house.one.resume(begun.secret) is None


def test_a_grant_beyond_reason_is_not_kept(house: House) -> None:
    grant = house.provider.grant(b"x" * (MAX_GRANT_BYTES + 1))

    with pytest.raises(SessionEndedError):
        house.one.begin(house.person, SignedIn(identity=an_identity(), grant=grant), device=HERE)

    assert not house.store.committed.sessions


def test_sessions_cannot_be_swapped_in_the_database(house: House) -> None:
    one, two = house.begin(session_id="one"), house.begin(session_id="two")
    swapped = replace(house.stored(one), sealed_grant=house.stored(two).sealed_grant)

    with pytest.raises(SessionEndedError):
        house.one.grant_of(swapped)


def test_one_session_ends_here_and_at_the_provider(house: House) -> None:
    one, two = house.begin(session_id="one"), house.begin(session_id="two")

    assert house.one.end(one.session.id, person_id="p-1")
    assert not house.one.end(one.session.id, person_id="p-1")
    assert not house.one.end(two.session.id, person_id="p-2")

    assert house.one.resume(one.secret) is None
    assert house.one.resume(two.secret)
    assert house.provider.signed_out == [("one", SignOutScope.THIS)]


def test_others_end_and_all_end(house: House) -> None:
    here, there = house.begin(session_id="here"), house.begin(session_id="there")

    assert house.one.end_others(here.session) == 1
    assert house.one.resume(there.secret) is None
    assert house.one.resume(here.secret)
    house.one.end_all(here.session)

    assert house.one.resume(here.secret) is None
    assert house.store.committed.people["p-1"].session_epoch == 1
    assert house.provider.signed_out == [
        ("here", SignOutScope.OTHERS),
        ("here", SignOutScope.ALL),
    ]


def test_a_session_in_place_of_another_leaves_the_provider_alone(house: House) -> None:
    before = house.begin(stage=Stage.SECOND_FACTOR)
    bystander = house.begin(session_id="bystander")

    after = house.begin(instead_of=before.session, alone=True)

    assert house.one.resume(before.secret) is None
    assert house.one.resume(bystander.secret) is None
    assert house.one.resume(after.secret)
    assert house.provider.signed_out == []


def test_proof_lasts_for_half_an_hour(house: House) -> None:
    begun = house.begin()

    fresh = begun.session.is_stepped_up(now=house.clock.now())
    house.clock.advance(timedelta(minutes=30))
    stale = begun.session.is_stepped_up(now=house.clock.now())
    house.one.prove(begun.session)

    assert (fresh, stale) == (True, False)
    assert house.stored(begun).is_stepped_up(now=house.clock.now())


def test_what_is_over_for_long_is_forgotten(house: House) -> None:
    house.begin()
    house.clock.advance(timedelta(days=29))
    kept = house.begin()

    assert house.one.forget_old() == 1
    assert list(house.store.committed.sessions) == [kept.session.id]
