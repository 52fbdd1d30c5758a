"""Tokens that stand for calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from creditcore.ports.repeats import RepeatableCall
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, at_once

_DAY = timedelta(days=1)
_CALL = RepeatableCall(id="token-1", call_id="call-1", fingerprint=b"f" * 32, created_at=NOON)


def _claim(transactions: Transactions, call: RepeatableCall) -> RepeatableCall:
    with transactions.begin() as tx:
        claimed = tx.repeats.claim(call, forget_before=call.created_at - _DAY)
        tx.commit()
    return claimed


class RepeatableCallsContract:
    """One token stands for one call, for a day."""

    def test_a_token_stands_for_the_first_call(self, transactions: Transactions) -> None:
        first = _claim(transactions, _CALL)
        again = _claim(transactions, replace(_CALL, call_id="call-2", created_at=NOON + MINUTE))

        assert first == again == _CALL

    def test_many_at_once_claim_one_call(self, transactions: Transactions) -> None:
        claimed = at_once(
            10, lambda number: _claim(transactions, replace(_CALL, call_id=f"call-{number}"))
        )

        assert len(set(claimed)) == 1

    def test_a_token_is_free_again_after_a_day(self, transactions: Transactions) -> None:
        _claim(transactions, _CALL)

        later = replace(_CALL, call_id="call-2", created_at=NOON + _DAY + MINUTE)

        assert _claim(transactions, later) == later

    def test_a_token_is_given_to_another_call_once(self, transactions: Transactions) -> None:
        _claim(transactions, _CALL)

        def reassigned(number: int) -> RepeatableCall:
            with transactions.begin() as tx:
                found = tx.repeats.reassign(_CALL, call_id=f"call-{number}")
                tx.commit()
            return found

        given = at_once(10, lambda number: reassigned(2 + number))

        now = _claim(transactions, _CALL)
        assert set(given) == {now}
        assert now == replace(_CALL, call_id=now.call_id)
        assert now.call_id != _CALL.call_id

    def test_an_answer_is_kept_with_its_call(self, transactions: Transactions) -> None:
        _claim(transactions, _CALL)
        with transactions.begin() as tx:
            tx.repeats.keep("call-1", status=200, answer=b"\x00sealed")
            tx.repeats.keep("unknown", status=200, answer=b"")
            tx.commit()

        with transactions.begin() as tx:
            kept = tx.repeats.find_by_call("call-1")
            assert tx.repeats.find_by_call("unknown") is None
        assert kept == replace(_CALL, status=200, answer=b"\x00sealed")
        assert _claim(transactions, replace(_CALL, call_id="call-2")) == kept

    def test_old_tokens_are_deleted_some_at_a_time(self, transactions: Transactions) -> None:
        for number in range(3):
            _claim(transactions, replace(_CALL, id=f"token-{number}", call_id=f"call-{number}"))
        young = replace(_CALL, id="young", call_id="young", created_at=NOON + MINUTE)
        _claim(transactions, young)

        with transactions.begin() as tx:
            some = tx.repeats.forget(before=NOON + MINUTE, limit=2)
            rest = tx.repeats.forget(before=NOON + MINUTE, limit=2)
            assert (some, rest) == (2, 1)
            assert tx.repeats.find_by_call("young") == young
