"""However requests are repeated, and wherever processes die: one call, one charge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore import ApiKey, Call, Ceiling, ChargeUsage, Credits, GroupCommit
from creditcore.domain.decisions import Admission
from creditcore.domain.errors import (
    AnswerNotKeptError,
    CallRunningError,
    InsufficientCreditsError,
    RepeatedCallError,
    TokenReusedError,
)
from creditcore.testing.contracts import a_key, a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.testing.memory_identity import MemoryVault
from creditcore.usecases.calls.repeat_call import MAX_KEPT_BYTES, KeptAnswer, RepeatCall

SCHEDULES = 1_000
CHAT = "/v1/chat/completions"
CALL = Call(model="demo")


class House:
    """A gateway without a web: claims, holds, counts what goes upstream, settles, keeps."""

    def __init__(self, *, posted: int = 1_000) -> None:
        self.store, self.clock = MemoryTransactions(), FixedClock()
        wallet = a_wallet(self.store, posted=posted)
        self.key = a_key(wallet)
        with self.store.begin() as tx:
            tx.keys.add(self.key)
            tx.commit()
        self.commits = GroupCommit(transactions=self.store, clock=self.clock)
        self.charge = ChargeUsage(commits=self.commits, transactions=self.store, clock=self.clock)
        self.repeats = self.repeating()
        self.upstream: Counter[tuple[str, bytes]] = Counter()
        self.numbers = iter(range(10_000))

    def repeating(self, *, keeps_answers: bool = True) -> RepeatCall:
        return RepeatCall(
            transactions=self.store,
            clock=self.clock,
            vault=MemoryVault(),
            pepper=b"pepper",
            keeps_answers=keeps_answers,
        )

    def claim(self, name: str = "t", body: bytes = b"{}", endpoint: str = CHAT) -> str | KeptAnswer:
        return self.claim_for(self.key, name, body, endpoint)[0]

    def claim_for(
        self, key: ApiKey, name: str, body: bytes, endpoint: str = CHAT
    ) -> tuple[str | KeptAnswer, Call]:
        """Return which call a request stands for, and the call as it would make it."""
        request_id = f"call-{next(self.numbers)}"
        claimed = self.repeats.claim(key, name, endpoint=endpoint, body=body, call_id=request_id)
        return claimed, CALL._replace(repeat_id=None if claimed == request_id else request_id)

    def serve(self, token: str, body: bytes) -> Iterator[bytes | None]:
        """Serve one request, a step at a time; its process may die between any two."""
        claimed, call = self.claim_for(self.key, token, body)
        yield None
        if isinstance(claimed, KeptAnswer):
            yield claimed.body
            return
        admission = self.authorize(claimed, call)
        if admission.repeated:
            yield self.repeats.answer(claimed, wallet_id=self.key.wallet_id).body
            return
        yield None
        self.upstream[token, body] += 1
        answer = f"answer {sum(self.upstream.values())}".encode()
        yield None
        self.charge.settle(admission.hold, Credits(5))
        yield None
        self.repeats.keep(claimed, status=200, body=answer)
        yield answer

    def authorize(self, reference: str, call: Call) -> Admission:
        return self.charge.authorize_key(
            self.key.key_hash, ceiling=Ceiling.of(Credits(7)), reference=reference, call=call
        )

    def serve_in_vain(self, token: str, body: bytes, *, committed: bool) -> Iterator[bytes | None]:
        """Serve one whose authorization gets no answer: it was committed, or it was not."""
        claimed, call = self.claim_for(self.key, token, body)
        yield None
        if isinstance(claimed, KeptAnswer):
            yield claimed.body
            return
        if committed:
            self.authorize(claimed, call)
        # It is voided at some time, perhaps after its repeat has come.
        yield None
        self.void(claimed, call)

    def void(self, reference: str, call: Call) -> None:
        """Void an authorization that was asked for and given up."""
        self.charge.void_later(self.key.key_hash, reference=reference, call=call)
        self.commits.flush()


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    with house.commits:
        yield house


def test_no_schedule_of_repeats_and_crashes_makes_two_calls() -> None:
    for seed in range(SCHEDULES):
        chance = random.Random(seed)  # noqa: S311
        house = House()
        answers: dict[tuple[str, bytes], set[bytes]] = {}
        with house.commits:
            running: list[tuple[tuple[str, bytes], Iterator[bytes | None]]] = []
            for _ in range(30):
                house.clock.advance(timedelta(seconds=1))
                if len(running) < 4 and chance.random() < 0.5:
                    asked = (chance.choice("ab"), chance.choice([b"1", b"1", b"1", b"2"]))
                    if chance.random() < 0.3:
                        served = house.serve_in_vain(*asked, committed=chance.random() < 0.5)
                    else:
                        served = house.serve(*asked)
                    running.append((asked, served))
                if not running:
                    continue
                at = chance.randrange(len(running))
                asked, request = running[at]
                if chance.random() < 0.1:
                    del running[at]  # its process died
                    continue
                try:
                    answer = next(request)
                except (StopIteration, RepeatedCallError):
                    del running[at]
                    continue
                if answer is not None:
                    answers.setdefault(asked, set()).add(answer)

        charges = Counter(
            transfer.reference
            for transfer in house.store.committed.transfers.values()
            if transfer.kind == "charge"
        )
        assert all(times == 1 for times in house.upstream.values()), seed
        assert len(house.upstream) <= 2, seed  # one body under each of the two tokens
        assert len(charges) <= len(house.upstream), seed
        # Nothing was taken from a call that ran.
        assert not house.store.committed.alerts, seed
        assert all(len(given) == 1 for given in answers.values()), seed


def test_a_token_stands_for_one_request(house: House) -> None:
    first = house.claim(body=b"1")

    assert house.claim(body=b"1") == first
    for other in ({"body": b"2"}, {"body": b"1", "endpoint": "/v1/messages"}):
        with pytest.raises(TokenReusedError):
            house.claim(**other)  # type: ignore[arg-type]


def test_a_token_means_nothing_to_the_keys_of_others(house: House) -> None:
    other = replace(house.key, id="key-2", key_hash=b"i" * 32)

    first, _ = house.claim_for(house.key, "t", b"{}")

    assert house.claim_for(other, "t", b"{}")[0] != first


def test_a_token_is_free_again_after_a_day(house: House) -> None:
    first = house.claim(body=b"1")
    house.clock.advance(timedelta(hours=24, seconds=1))

    assert house.claim(body=b"2") != first


def test_what_could_not_be_paid_may_run_later() -> None:
    house = House(posted=1)
    with house.commits:
        for _ in range(2):
            request = house.serve("t", b"{}")
            next(request)
            with pytest.raises(InsufficientCreditsError):
                next(request)

    assert house.upstream == Counter()


def test_a_running_call_says_so_and_one_whose_answer_is_lost_too(house: House) -> None:
    first = house.serve("t", b"{}")
    for _ in range(3):
        next(first)

    with pytest.raises(CallRunningError):
        list(house.serve("t", b"{}"))
    next(first)
    with pytest.raises(AnswerNotKeptError):
        list(house.serve("t", b"{}"))


@pytest.mark.parametrize("committed", [False, True])
def test_a_call_that_was_not_made_is_made_by_its_repeat(house: House, *, committed: bool) -> None:
    assert list(house.serve_in_vain("t", b"{}", committed=committed)) == [None, None]

    *_, answer = house.serve("t", b"{}")

    assert answer == b"answer 1"
    assert list(house.serve("t", b"{}"))[-1] == answer
    # Both are known: the one that was not made, and the one that was.
    assert {hold.charged for hold in house.store.committed.holds.values()} == {
        Credits(0),
        Credits(5),
    }


def test_a_repeat_whose_first_attempt_is_voided_meanwhile_may_come_again(house: House) -> None:
    refused = house.serve_in_vain("t", b"{}", committed=False)
    next(refused)
    repeat = house.serve("t", b"{}")
    next(repeat)
    list(refused)

    with pytest.raises(CallRunningError):
        next(repeat)

    assert list(house.serve("t", b"{}"))[-1] == b"answer 1"


def test_voiding_a_request_leaves_the_hold_of_its_repeat_alone(house: House) -> None:
    first, call = house.claim_for(house.key, "t", b"{}")
    assert isinstance(first, str)
    again, repeated = house.claim_for(house.key, "t", b"{}")
    assert again == first
    admission = house.authorize(first, repeated)

    house.void(first, call)

    assert house.charge.settle(admission.hold, Credits(5)).charged == Credits(5)


@pytest.mark.parametrize("size", [MAX_KEPT_BYTES, MAX_KEPT_BYTES + 1])
def test_a_long_answer_is_not_kept(house: House, size: int) -> None:
    claimed = house.claim()
    assert isinstance(claimed, str)
    house.repeats.keep(claimed, status=200, body=b"x" * size)

    assert isinstance(house.claim(), KeptAnswer) is (size <= MAX_KEPT_BYTES)


def test_nothing_is_kept_where_the_operator_wants_that(house: House) -> None:
    claimed = house.claim()
    assert isinstance(claimed, str)
    house.repeating(keeps_answers=False).keep(claimed, status=200, body=b"secret")

    assert house.claim() == claimed


def test_what_is_kept_cannot_be_read_where_it_is_stored(house: House) -> None:
    claimed = house.claim()
    assert isinstance(claimed, str)
    house.repeats.keep(claimed, status=200, body=b"secret")

    [row] = house.store.committed.repeats.values()
    assert row.answer != b"secret"


def test_old_tokens_are_forgotten(house: House) -> None:
    house.claim("old")
    house.clock.advance(timedelta(hours=24, seconds=1))
    house.claim("young")

    assert house.repeats.forget_old() == 1
    assert len(house.store.committed.repeats) == 1
