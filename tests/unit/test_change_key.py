"""Changing, pausing and rotating keys, and what a key may give to others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from creditcore import ApiKey, Credits, IssueKey, KeyRefusedError
from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.errors import ApiKeyNotFoundError, InvalidRequestError, NotPermittedError
from creditcore.domain.keys import Scope
from creditcore.domain.limits import KeyCounter, KeyLimits, Period, SpendLimit
from creditcore.domain.money import ZERO
from creditcore.testing.contracts import a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.usecases.keys.change_key import ChangeKey, KeyChanges
from creditcore.usecases.keys.issue_key import MAX_KEYS
from creditcore.usecases.keys.read_keys import KeyView, ReadKeys
from creditcore.usecases.keys.recognise_key import RecogniseKey

OWNER = "owner-of-wallet-1"
PEPPER = b"pepper"
SEVEN = KeyLimits(spend=SpendLimit(credits=Credits(7)))
MANAGER = (Scope.INFERENCE, Scope.ACCOUNT_MANAGE)


class Desk:
    """Everything that keys are managed with."""

    def __init__(self) -> None:
        self.store, self.clock, ids = MemoryTransactions(), FixedClock(), SequentialIds()
        a_wallet(self.store, posted=100)
        a_wallet(self.store, wallet_id="wallet-2")
        self.issuing = IssueKey(transactions=self.store, clock=self.clock, ids=ids, pepper=PEPPER)
        self.changing = ChangeKey(transactions=self.store, clock=self.clock, ids=ids, pepper=PEPPER)
        self.reading = ReadKeys(transactions=self.store, clock=self.clock)
        self.door = RecogniseKey(transactions=self.store, clock=self.clock, pepper=PEPPER)

    def issue(self, **terms: object) -> ApiKey:
        key, _ = self.issuing.issue(OWNER, name="laptop", **terms)  # type: ignore[arg-type]
        return key

    def change(self, key: ApiKey, by: ApiKey | None = None, **changes: object) -> ApiKey:
        wanted = KeyChanges(**changes)  # type: ignore[arg-type]
        return self.changing.change(key.id, wanted, owner_id=OWNER, by=by)

    def view(self, key: ApiKey) -> KeyView:
        return self.reading.one(key.id, owner_id=OWNER)

    def spend(self, key: ApiKey, amount: int) -> None:
        counter = self.store.committed.counters[key.counter_id]
        self.store.committed.counters[key.counter_id] = counter._replace(spent=Credits(amount))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_key_with_a_limit_begins_to_count(desk: Desk) -> None:
    view = desk.view(desk.issue(limits=SEVEN))

    assert (view.spent, view.credit_balance) == (ZERO, Credits(7))


def test_a_key_without_limits_counts_nothing(desk: Desk) -> None:
    desk.issue(limits=KeyLimits(rpm=5, models=("demo",)))

    assert desk.store.committed.counters == {}


def test_a_raised_limit_goes_on_with_what_was_spent(desk: Desk) -> None:
    key = desk.issue(limits=SEVEN)
    desk.spend(key, 5)

    desk.change(key, limits=KeyLimits(spend=SpendLimit(credits=Credits(9))))

    assert desk.view(key).credit_balance == Credits(4)


def test_a_limit_that_is_set_later_counts_from_then_on(desk: Desk) -> None:
    key = desk.issue(limits=SEVEN)
    desk.spend(key, 5)
    desk.clock.advance(timedelta(hours=1))

    monthly = SpendLimit(credits=Credits(9), period=Period.MONTH)
    desk.change(key, limits=KeyLimits(spend=monthly))

    counter = desk.view(key).counter
    assert counter == KeyCounter(
        id=key.id, wallet_id="wallet-1", since=desk.clock.now(), limit=Credits(9)
    )


def test_what_was_spent_in_a_period_that_is_over_is_not_shown(desk: Desk) -> None:
    key = desk.issue(limits=KeyLimits(spend=SpendLimit(credits=Credits(9), period=Period.DAY)))
    desk.spend(key, 5)

    desk.clock.advance(timedelta(days=1))

    assert desk.view(key).spent == ZERO


def test_pausing_keeps_its_first_time_and_resuming_ends_it(desk: Desk) -> None:
    key, secret = desk.issuing.issue(OWNER, name="laptop")
    first = desk.change(key, paused=True)
    desk.clock.advance(timedelta(hours=1))

    assert desk.change(key, paused=True) == first
    with pytest.raises(KeyRefusedError, match="paused"):
        desk.door.recognise(secret)
    desk.change(key, paused=False)
    assert desk.door.recognise(secret).id == key.id


def test_every_key_of_an_owner_is_paused_at_once(desk: Desk) -> None:
    keys = [desk.issue() for _ in range(3)]
    desk.issuing.revoke(keys[0].id, owner_id=OWNER)
    desk.issuing.issue("owner-of-wallet-2", name="other")

    assert desk.changing.pause_all(OWNER) == 2
    assert desk.changing.pause_all(OWNER) == 0


def test_a_revoked_key_stays_revoked(desk: Desk) -> None:
    key = desk.issue()
    desk.issuing.revoke(key.id, owner_id=OWNER)

    with pytest.raises(InvalidRequestError):
        desk.change(key, paused=False)
    with pytest.raises(InvalidRequestError):
        desk.changing.rotate(key.id, owner_id=OWNER)


def test_only_its_owner_changes_a_key(desk: Desk) -> None:
    key = desk.issue()

    for act in (
        lambda: desk.changing.change(key.id, KeyChanges(name="mine"), owner_id="somebody"),
        lambda: desk.changing.rotate(key.id, owner_id="somebody"),
        lambda: desk.reading.one(key.id, owner_id="somebody"),
    ):
        with pytest.raises(ApiKeyNotFoundError):
            act()


def test_rotation_without_overlap_revokes_at_once(desk: Desk) -> None:
    key, secret = desk.issuing.issue(OWNER, name="laptop", limits=SEVEN)

    new, new_secret = desk.changing.rotate(key.id, owner_id=OWNER)

    with pytest.raises(KeyRefusedError, match="revoked"):
        desk.door.recognise(secret)
    assert desk.door.recognise(new_secret) == new
    assert (new.limits, new.name, new.counter_id) == (SEVEN, "laptop", key.id)


def test_both_secrets_work_during_the_overlap_and_share_their_limit(desk: Desk) -> None:
    key, secret = desk.issuing.issue(OWNER, name="laptop", limits=SEVEN)

    new, _ = desk.changing.rotate(key.id, owner_id=OWNER, overlap=timedelta(hours=24))
    newer, _ = desk.changing.rotate(new.id, owner_id=OWNER)
    desk.spend(key, 5)

    assert desk.door.recognise(secret).id == key.id
    assert desk.view(newer).credit_balance == desk.view(key).credit_balance == Credits(2)
    desk.clock.advance(timedelta(hours=24))
    with pytest.raises(KeyRefusedError, match="expired"):
        desk.door.recognise(secret)


@pytest.mark.parametrize("hours", [-1, 73])
def test_an_overlap_is_up_to_three_days(desk: Desk, hours: int) -> None:
    with pytest.raises(InvalidRequestError):
        desk.changing.rotate(desk.issue().id, owner_id=OWNER, overlap=timedelta(hours=hours))


def test_rotating_makes_no_more_keys_than_there_may_be(desk: Desk) -> None:
    keys = [desk.issue() for _ in range(MAX_KEYS)]

    with pytest.raises(InvalidRequestError):
        desk.changing.rotate(keys[0].id, owner_id=OWNER, overlap=timedelta(hours=1))
    desk.changing.rotate(keys[0].id, owner_id=OWNER)


def test_pages_of_keys_follow_each_other(desk: Desk) -> None:
    keys = []
    for _ in range(5):
        keys.append(desk.issue())
        desk.clock.advance(timedelta(seconds=1))

    first = desk.reading.page(OWNER, limit=2)
    last = first[-1].key
    second = desk.reading.page(OWNER, limit=9, before=(last.created_at, last.id))

    assert [view.key for view in [*first, *second]] == keys[::-1]


# -- what a key may give ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "wanted", "param"),
    [
        ({"scopes": (Scope.ACCOUNT_MANAGE,)}, {}, "scopes"),
        ({}, {"scopes": (Scope.ACCOUNT_READ,)}, "scopes"),
        ({"limits": KeyLimits(rpm=5)}, {"limits": KeyLimits(rpm=5)}, "scopes"),
        ({"limits": SEVEN}, {"limits": SEVEN}, "scopes"),
        ({"limits": KeyLimits(models=("demo*",))}, {}, "allowed_models"),
        (
            {"limits": KeyLimits(models=("demo*",))},
            {"limits": KeyLimits(models=("dem*",))},
            "allowed_models",
        ),
        (
            {"limits": KeyLimits(models=("demo",))},
            {"limits": KeyLimits(models=("demo*",))},
            "allowed_models",
        ),
        ({"limits": KeyLimits(addresses=("10.0.0.0/8",))}, {}, "allowed_ips"),
        (
            {"limits": KeyLimits(addresses=("10.0.0.0/8",))},
            {"limits": KeyLimits(addresses=("10.0.0.0/7",))},
            "allowed_ips",
        ),
        (
            {"limits": KeyLimits(addresses=("10.0.0.0/8",))},
            {"limits": KeyLimits(addresses=("::/0",))},
            "allowed_ips",
        ),
        ({"lifetime": timedelta(days=1)}, {}, "expires_at"),
        ({"lifetime": timedelta(days=1)}, {"lifetime": timedelta(days=2)}, "expires_at"),
    ],
)
def test_a_key_gives_no_more_than_it_has(
    desk: Desk, own: dict[str, object], wanted: dict[str, object], param: str
) -> None:
    giver = desk.issue(**({"scopes": MANAGER} | own))

    with pytest.raises(NotPermittedError) as refusal:
        desk.issue(by=giver, **wanted)

    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ({}, {}),
        ({}, {"limits": SEVEN, "scopes": MANAGER}),
        (
            {"limits": KeyLimits(models=("demo*",), addresses=("10.0.0.0/8",))},
            {"limits": KeyLimits(models=("demo-2", "demo-3*"), addresses=("10.1.0.0/16",))},
        ),
        ({"limits": SEVEN}, {"scopes": (Scope.ACCOUNT_MANAGE,)}),
    ],
)
def test_a_key_gives_what_it_has(
    desk: Desk, own: dict[str, object], wanted: dict[str, object]
) -> None:
    giver = desk.issue(**({"scopes": MANAGER} | own))

    assert desk.issue(by=giver, **wanted)


def test_a_key_without_the_scope_makes_and_changes_none(desk: Desk) -> None:
    giver, other = desk.issue(scopes=(Scope.INFERENCE, Scope.ACCOUNT_READ)), desk.issue()

    for act in (
        lambda: desk.issue(by=giver),
        lambda: desk.change(other, giver, name="mine"),
        lambda: desk.changing.rotate(other.id, owner_id=OWNER, by=giver),
    ):
        with pytest.raises(NotPermittedError):
            act()


def test_a_limited_key_cannot_take_over_a_stronger_one(desk: Desk) -> None:
    stronger = desk.issue()
    giver = desk.issue(scopes=MANAGER, limits=KeyLimits(models=("demo",)))
    paused = desk.change(stronger, paused=True)

    for act in (
        lambda: desk.changing.rotate(stronger.id, owner_id=OWNER, by=giver),
        lambda: desk.change(paused, giver, paused=False),
        lambda: desk.change(giver, giver, limits=KeyLimits()),
    ):
        with pytest.raises(NotPermittedError):
            act()


def test_any_managing_key_may_pause_a_stronger_one(desk: Desk) -> None:
    stronger = desk.issue()
    giver = desk.issue(scopes=MANAGER, limits=KeyLimits(models=("demo",)))

    assert desk.change(stronger, giver, paused=True).paused_at is not None


def test_a_change_is_kept_with_what_was_before_and_a_repeat_is_not(desk: Desk) -> None:
    key, actor = desk.issue(), Actor(id="amina", address="10.0.0.7")
    wanted = KeyChanges(name="server", limits=SEVEN, paused=True)

    for _ in range(2):
        desk.changing.change(key.id, wanted, owner_id=OWNER, actor=actor)

    [change] = acts(desk, Act.KEY_CHANGED)
    assert (change.actor, change.target, change.person_id) == (actor, f"key:{key.id}", OWNER)
    assert change.before == {"name": "laptop", "limits": "", "state": "running"}
    assert change.after == {
        "prefix": key.prefix,
        "last_four": key.last_four,
        "name": "server",
        "limits": "spend=0.000007",
        "state": "paused",
    }


def test_pausing_all_keys_is_kept_for_each(desk: Desk) -> None:
    keys = {f"key:{desk.issue().id}" for _ in range(2)}

    desk.changing.pause_all(OWNER)

    assert {act.target for act in acts(desk, Act.KEY_CHANGED)} == keys
    assert {act.after["state"] for act in acts(desk, Act.KEY_CHANGED)} == {"paused"}


def test_a_rotation_is_kept_without_its_secret(desk: Desk) -> None:
    key = desk.issue()

    new, secret = desk.changing.rotate(key.id, owner_id=OWNER, overlap=timedelta(hours=1))

    [rotation] = acts(desk, Act.KEY_ROTATED)
    assert rotation.target == f"key:{new.id}"
    assert rotation.after["replaces"] == key.id
    assert rotation.after["replaced_works_until"] == "2026-01-01T01:00:00+00:00"
    assert secret.text not in repr(rotation)
    assert new.key_hash.hex() not in repr(rotation)


def acts(desk: Desk, act: Act) -> list[Activity]:
    return [each for each in desk.store.committed.activity.values() if each.act == act]
