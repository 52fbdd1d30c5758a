"""Calls that were refused before they began."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

from creditcore.domain.keys import KeySecret
from creditcore.domain.periods import Span
from creditcore.domain.refusals import RefusedCall
from creditcore.domain.usage_hours import HOUR, NOTHING_USED, Tally, hour_of
from creditcore.ports.calls import CallFilter, Place
from creditcore.ports.transactions import Transactions
from creditcore.ports.usage_hours import UsageOf
from creditcore.testing.contracts.samples import MINUTE, NOON, a_key, a_wallet, admit
from creditcore.testing.memory import FixedClock
from creditcore.usecases.calls.keep_refusals import KEPT_FOR, KEPT_PER_HOUR, KeepRefusals

_PEPPER = b"a pepper for tests"
_SECRET = KeySecret.generate(secrets.choice)
_CALL = RefusedCall(
    reference="call-1",
    wallet_id="wallet-1",
    key_id="key-1",
    model="demo",
    endpoint="/v1/chat/completions",
    status=402,
    code="insufficient_quota",
    message="This may cost up to 9 credits, 1 is available.",
    at=NOON,
)


class RefusedCallsContract:
    """Calls that were refused before they began."""

    def test_they_are_listed_found_and_forgotten(self, transactions: Transactions) -> None:
        a_wallet(transactions)
        a_wallet(transactions, wallet_id="wallet-2")
        calls = [
            replace(_CALL, reference=f"call-{n}", at=NOON + (n // 2) * MINUTE) for n in range(5)
        ]
        with transactions.begin() as tx:
            for call in [*calls, replace(_CALL, reference="other", wallet_id="wallet-2")]:
                tx.refusals.add(call)
            tx.refusals.add(replace(calls[0], message="again"))
            tx.commit()

        with transactions.begin() as tx:
            newest_first = calls[::-1]
            first = tx.refusals.older("wallet-1", limit=2)
            place = Place(first[-1].at, first[-1].reference)
            assert list(first) == newest_first[:2]
            assert list(tx.refusals.older("wallet-1", than=place, limit=9)) == newest_first[2:]
            assert tx.refusals.find("call-0", wallet_id="wallet-1") == calls[0]
            assert tx.refusals.find("call-0", wallet_id="wallet-2") is None
            assert tx.refusals.forget(before=NOON + MINUTE, limit=2) == 2
            assert tx.refusals.forget(before=NOON + MINUTE, limit=9) == 1
            assert list(tx.refusals.older("wallet-1", limit=9)) == newest_first[:3]

    def test_the_latest_of_an_hour_are_kept(self, transactions: Transactions) -> None:
        a_wallet(transactions)
        a_wallet(transactions, wallet_id="wallet-2")
        calls = [
            replace(_CALL, reference=f"call-{n}", at=NOON + (n // 2) * MINUTE) for n in range(5)
        ]
        elsewhere = [
            replace(_CALL, reference="before", at=NOON - MINUTE),
            replace(_CALL, reference="after", at=NOON + HOUR),
            replace(_CALL, reference="other", wallet_id="wallet-2"),
        ]
        with transactions.begin() as tx:
            for call in [*calls, *elsewhere]:
                tx.refusals.add(call)
            tx.refusals.keep_latest("wallet-1", NOON, most=5)
            assert len(tx.refusals.older("wallet-1", limit=9)) == 7
            tx.refusals.keep_latest("wallet-1", NOON, most=2)
            tx.commit()

        with transactions.begin() as tx:
            kept = [call.reference for call in tx.refusals.older("wallet-1", limit=9)]
            assert kept == ["after", "call-4", "call-3", "before"]
            assert tx.refusals.find("other", wallet_id="wallet-2") is not None

    def test_they_are_listed_by_what_is_asked_for(self, transactions: Transactions) -> None:
        a_wallet(transactions)
        later = NOON + MINUTE
        other = replace(
            _CALL, reference="other", key_id="key-2", model="m", endpoint="/v1/messages", at=later
        )
        with transactions.begin() as tx:
            for call in (_CALL, other):
                tx.refusals.add(call)
            tx.commit()

        with transactions.begin() as tx:
            for which, expected in (
                (CallFilter(key_id="key-2"), [other]),
                (CallFilter(model="demo"), [_CALL]),
                (CallFilter(endpoint="/v1/messages"), [other]),
                (CallFilter(since=later), [other]),
                (CallFilter(until=later), [_CALL]),
                (CallFilter(key_id="key-2", model="demo"), []),
            ):
                assert list(tx.refusals.older("wallet-1", limit=9, which=which)) == expected

    def test_what_a_known_key_is_refused_is_kept_and_counted(
        self, transactions: Transactions
    ) -> None:
        keep, _ = _keeper(transactions)
        for status in (402, 429, 404):
            _note(keep, f"call-{status}", status=status)
        keep.wait()

        with transactions.begin() as tx:
            found = tx.refusals.find("call-402", wallet_id="wallet-1")
        assert found == replace(_CALL, reference="call-402")
        assert _refused(transactions) == Tally(refused_402=1, refused_429=1, refused_other=1)

    def test_an_unknown_key_leaves_no_trace(self, transactions: Transactions) -> None:
        keep, _ = _keeper(transactions)
        _note(keep, "call-1", secret=KeySecret.generate(secrets.choice))
        keep.wait()

        with transactions.begin() as tx:
            assert tx.refusals.find("call-1", wallet_id="wallet-1") is None
        assert _refused(transactions) == NOTHING_USED

    def test_a_call_that_did_begin_is_not_among_them(self, transactions: Transactions) -> None:
        keep, _ = _keeper(transactions, posted=100)
        admit(transactions, 10, reference="call-1")
        _note(keep, "call-1", status=502)
        keep.wait()

        assert _refused(transactions).refused == 0

    def test_a_flood_is_counted_and_kept_up_to_a_bound(self, transactions: Transactions) -> None:
        keep, clock = _keeper(transactions)
        many = KEPT_PER_HOUR + 30
        for number in range(many):
            _note(keep, f"call-{number:03}")
        keep.wait()

        with transactions.begin() as tx:
            kept = tx.refusals.older("wallet-1", limit=many)
        assert len(kept) == KEPT_PER_HOUR
        assert {call.reference for call in kept} == {f"call-{n:03}" for n in range(30, many)}
        assert _refused(transactions).refused_402 == many

        clock.advance(KEPT_FOR + timedelta(days=1))
        assert keep.tidy() == KEPT_PER_HOUR
        assert _refused(transactions).refused_402 == many


def _keeper(transactions: Transactions, *, posted: int = 0) -> tuple[KeepRefusals, FixedClock]:
    wallet = a_wallet(transactions, posted=posted)
    with transactions.begin() as tx:
        tx.keys.add(a_key(wallet, key_hash=_SECRET.hash(_PEPPER)))
        tx.commit()
    clock = FixedClock(NOON)
    return KeepRefusals(transactions=transactions, clock=clock, pepper=_PEPPER), clock


def _note(
    keep: KeepRefusals, reference: str, *, status: int = 402, secret: KeySecret = _SECRET
) -> None:
    keep.note(
        secret,
        reference=reference,
        model=_CALL.model,
        endpoint=_CALL.endpoint,
        status=status,
        code=_CALL.code,
        message=_CALL.message,
    )


def _refused(transactions: Transactions) -> Tally:
    hour = Span(hour_of(NOON), hour_of(NOON) + HOUR)
    with transactions.begin() as tx:
        shares = tx.usage_hours.shares(UsageOf("wallet-1"), [hour])
    return sum((share.tally for share in shares), NOTHING_USED)
