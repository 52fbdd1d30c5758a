"""Letting calls in: places of streams, requests and tokens per minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from creditcore import ApiKey, Usage
from creditcore.domain.callers import WithoutKey
from creditcore.domain.errors import LimitReachedError, OverloadedError
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyLimits
from creditcore.domain.rates import Charge, Standing
from creditcore.domain.units import Extent, Unit
from creditcore.ports.inference import InferenceRequest
from creditcore.testing.contracts import a_key
from creditcore.testing.memory import FixedClock
from creditcore.usecases.calls.call_gate import MAX_KNOWN_KEYS, CallGate, Pass
from creditcore.usecases.calls.process_counters import MAX_COUNTERS, ProcessCounters
from creditcore.usecases.calls.stream_places import SMALLEST_SHARE

HASH = b"h" * 32


def a_request(*, stream: bool = False, output: int | None = 10) -> InferenceRequest:
    return InferenceRequest(
        model="demo",
        stream=stream,
        wants_usage=False,
        prompt_bound=10,
        output_limit=output,
        choices=1,
        prompt_estimate=5,
        fields={},
    )


def a_key_with(**limits: int) -> ApiKey:
    return replace(a_key(Wallet(id="wallet-1", owner_id="owner-1")), limits=KeyLimits(**limits))


def let_in(gate: CallGate, key: ApiKey, request: InferenceRequest | None = None) -> Pass:
    entered = gate.enter(request or a_request(), HASH)
    gate.confirm(entered, HASH, key)
    return entered


def of_units(unit: Unit, *, most: int, about: int, output: int) -> InferenceRequest:
    return replace(a_request(output=output), sold_by=unit, units={unit: Extent(most, about)})


class CountingTakes(ProcessCounters):
    """Says how often it was asked, which is a round trip where Redis counts."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock=clock)
        self.takes = 0

    def take(self, charges: Sequence[Charge]) -> Sequence[Standing]:
        self.takes += 1
        return super().take(charges)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def gate(clock: FixedClock) -> CallGate:
    return CallGate(rates=ProcessCounters(clock=clock), clock=clock)


def test_a_stream_without_a_place_is_refused_and_a_document_is_not() -> None:
    gate = CallGate(max_streams=1)
    first = gate.enter(a_request(stream=True), HASH)

    with pytest.raises(OverloadedError):
        gate.enter(a_request(stream=True), HASH)
    gate.enter(a_request(), HASH)
    for _ in range(2):
        first.leave(None)
    gate.enter(a_request(stream=True), HASH)

    with pytest.raises(OverloadedError):
        gate.enter(a_request(stream=True), HASH)


def seated(gate: CallGate, key_hash: bytes, wallet_id: str) -> Pass:
    entered = gate.enter(a_request(stream=True), key_hash)
    try:
        gate.seat(entered, wallet_id)
    except OverloadedError:
        entered.cancel()
        raise
    return entered


def test_one_account_leaves_room_for_others_however_many_keys_it_has() -> None:
    gate = CallGate(max_streams=100)
    streams = [seated(gate, b"first of one", "one") for _ in range(50)]

    with pytest.raises(OverloadedError, match="your account has 50 of its streams already"):
        seated(gate, b"first of one", "one")
    with pytest.raises(OverloadedError, match="your account has 50"):
        seated(gate, b"second of one", "one")
    for _ in range(SMALLEST_SHARE):
        seated(gate, b"of another", "another")
    with pytest.raises(OverloadedError, match=f"your account has {SMALLEST_SHARE}"):
        seated(gate, b"of another", "another")
    for _ in range(100 - 50 - SMALLEST_SHARE):
        seated(gate, b"of a third", "a third")
    with pytest.raises(OverloadedError, match="as many streams as it can"):
        seated(gate, b"of a fourth", "a fourth")
    for stream in streams:
        stream.leave(None)

    assert len([seated(gate, b"first of one", "one") for _ in range(3)]) == 3


def test_a_refused_stream_frees_its_place_once() -> None:
    gate = CallGate(max_streams=2, rates=ProcessCounters(clock=FixedClock()))
    key = a_key_with(rpm=1)
    let_in(gate, key, a_request(stream=True)).leave(None)
    for _ in range(5):
        with pytest.raises(LimitReachedError):
            gate.enter(a_request(stream=True), HASH)

    assert all(gate.enter(a_request(stream=True), b"of another").has_place for _ in range(2))
    with pytest.raises(OverloadedError):
        gate.enter(a_request(stream=True), b"of another")


def test_one_request_above_the_limit_waits(gate: CallGate, clock: FixedClock) -> None:
    key = a_key_with(rpm=20)
    for _ in range(20):
        let_in(gate, key)

    with pytest.raises(LimitReachedError) as refusal:
        let_in(gate, key)
    assert (refusal.value.limit, refusal.value.retry_after_us) == ("requests", 3_000_000)

    clock.advance(timedelta(seconds=3))
    let_in(gate, key)
    with pytest.raises(LimitReachedError):
        let_in(gate, key)


def test_the_first_call_of_an_unknown_key_is_counted_too(gate: CallGate) -> None:
    key = a_key_with(rpm=1)
    gate.confirm(gate.enter(a_request(), HASH), HASH, key)

    with pytest.raises(LimitReachedError):
        gate.enter(a_request(), HASH)


def test_calls_of_an_unknown_key_that_come_together_are_all_counted(gate: CallGate) -> None:
    key = a_key_with(rpm=2)
    together = [gate.enter(a_request(), HASH) for _ in range(3)]

    for entered in together[:2]:
        gate.confirm(entered, HASH, key)
    with pytest.raises(LimitReachedError):
        gate.confirm(together[2], HASH, key)


def test_a_limit_that_was_changed_elsewhere_counts_with_the_next_call(gate: CallGate) -> None:
    let_in(gate, a_key_with(rpm=20))

    entered = gate.enter(a_request(), HASH)
    gate.confirm(entered, HASH, a_key_with(rpm=2))

    with pytest.raises(LimitReachedError):
        let_in(gate, a_key_with(rpm=2))


def test_a_call_is_counted_once_where_its_limits_have_changed(gate: CallGate) -> None:
    let_in(gate, a_key_with(rpm=20))

    again = let_in(gate, a_key_with(rpm=20, tpm=1000))

    assert again.standings[0].remaining == 18


def test_a_limit_that_was_taken_away_limits_nothing(gate: CallGate) -> None:
    let_in(gate, a_key_with(rpm=2))

    let_in(gate, a_key_with())

    # Before the database has been asked about any of them.
    assert len([gate.enter(a_request(), HASH) for _ in range(5)]) == 5


def test_a_call_whose_limits_are_as_they_were_is_counted_once(clock: FixedClock) -> None:
    rates = CountingTakes(clock)
    gate = CallGate(rates=rates, clock=clock)
    let_in(gate, a_key_with(rpm=20))

    let_in(gate, a_key_with(rpm=20))

    assert rates.takes == 2


def test_a_refusal_consumes_nothing(gate: CallGate) -> None:
    key = a_key_with(rpm=2, tpm=20)
    let_in(gate, key)  # 15 of the 20 tokens

    for _ in range(5):
        with pytest.raises(LimitReachedError) as refusal:
            let_in(gate, key)

    assert refusal.value.limit == "tokens"
    small = let_in(gate, key, a_request(output=0))
    assert small.standings[0].remaining == 0


def test_a_call_that_was_not_made_gives_everything_back(gate: CallGate) -> None:
    key = a_key_with(rpm=1, tpm=15)

    for _ in range(5):
        let_in(gate, key).cancel()

    let_in(gate, key)


def test_tokens_are_corrected_by_what_was_used(gate: CallGate) -> None:
    key = a_key_with(tpm=100)
    first = let_in(gate, key, a_request(output=95))
    assert first.standings[0].remaining == 0

    first.leave(Usage(prompt_tokens=6, completion_tokens=4))

    assert let_in(gate, key, a_request(output=80)).standings[0].remaining == 5


def test_a_call_larger_than_the_limit_runs_alone(gate: CallGate) -> None:
    key = a_key_with(tpm=100)
    huge = let_in(gate, key, a_request(output=5000))
    huge.leave(Usage(completion_tokens=3000))

    with pytest.raises(LimitReachedError) as refusal:
        let_in(gate, key)
    assert refusal.value.retry_after_us > 60_000_000


def test_all_keys_of_an_account_share_its_limits(gate: CallGate) -> None:
    shared = KeyLimits(rpm=3)
    first = replace(a_key_with(rpm=100), account_limits=shared)
    second = replace(a_key_with(), id="key-2", account_limits=shared)
    entered = let_in(gate, first)
    let_in(gate, first)
    gate.confirm(gate.enter(a_request(), b"other"), b"other", second)

    with pytest.raises(LimitReachedError) as refusal:
        gate.enter(a_request(), b"other")

    assert refusal.value.whose == "account"
    assert [(each.whose, each.remaining) for each in entered.standings] == [
        ("key", 99),
        ("account", 2),
    ]
    assert {each.whose: each.remaining for each in gate.standings(first)}["key"] == 98


def test_who_calls_without_a_key_shares_the_limits_of_the_account(gate: CallGate) -> None:
    shared = KeyLimits(rpm=2, tpm=1_000)
    page = WithoutKey(wallet_id="wallet-1", account_limits=shared)
    let_in(gate, replace(a_key_with(), account_limits=shared))

    entered = gate.enter(a_request(output=300), b"", page)
    with pytest.raises(LimitReachedError) as refusal:
        gate.enter(a_request(), b"", page)
    entered.leave(Usage(prompt_tokens=5, completion_tokens=1))

    assert refusal.value.whose == "account"
    assert {each.unit: each.remaining for each in gate.standings(page)} == {
        "requests": 0,
        "tokens": 979,
    }


def test_a_limit_that_an_account_gets_counts_with_the_next_call(gate: CallGate) -> None:
    key = a_key_with()
    let_in(gate, key)
    limited = replace(key, account_limits=KeyLimits(rpm=1))

    let_in(gate, limited)

    with pytest.raises(LimitReachedError):
        gate.enter(a_request(), HASH)


def test_a_limit_that_was_raised_counts_within_a_second(gate: CallGate, clock: FixedClock) -> None:
    let_in(gate, a_key_with(rpm=1))
    raised = a_key_with(rpm=100)
    with pytest.raises(LimitReachedError):
        gate.enter(a_request(), HASH)

    clock.advance(timedelta(seconds=1))
    entered = let_in(gate, raised)

    assert entered.standings[0].limit == 100


def test_a_limit_that_was_not_raised_refuses_by_the_database(
    gate: CallGate, clock: FixedClock
) -> None:
    key = a_key_with(rpm=1)
    let_in(gate, key)
    clock.advance(timedelta(seconds=1))

    asked = gate.enter(a_request(), HASH)
    with pytest.raises(LimitReachedError):
        gate.confirm(asked, HASH, key)
    with pytest.raises(LimitReachedError):
        gate.enter(a_request(), HASH)


def test_rotated_keys_share_their_limits(gate: CallGate) -> None:
    key = a_key_with(rpm=1)
    let_in(gate, key)

    with pytest.raises(LimitReachedError):
        gate.confirm(
            gate.enter(a_request(), b"other"), b"other", replace(key, id="new", family=key.id)
        )


def test_setting_the_clock_brings_nothing_back(gate: CallGate, clock: FixedClock) -> None:
    key = a_key_with(rpm=1)
    let_in(gate, key)

    for step in (timedelta(days=40), timedelta(days=-80)):
        clock.at += step
        with pytest.raises(LimitReachedError):
            let_in(gate, key)


def test_a_call_of_a_known_key_forgets_no_other_key(clock: FixedClock) -> None:
    gate = CallGate(rates=ProcessCounters(clock=clock), clock=clock)
    key = a_key_with(rpm=100)
    hashes = [str(number).encode() for number in range(MAX_KNOWN_KEYS)]
    for key_hash in hashes:
        gate.confirm(gate.enter(a_request(), key_hash), key_hash, key)
        clock.advance(timedelta(seconds=1))

    gate.confirm(gate.enter(a_request(), hashes[0]), hashes[0], key)

    assert gate.enter(a_request(), hashes[-1]).standings[0].limit == 100


def test_counters_of_long_ago_are_forgotten(clock: FixedClock) -> None:
    counters = ProcessCounters(clock=clock)
    for number in range(MAX_COUNTERS + 1):
        counters.take([Charge(f"requests:{number}", "requests", 60, 1)])
    clock.advance(timedelta(minutes=2))

    for number in range(2):
        counters.take([Charge(f"requests:new-{number}", "requests", 60, 1)])

    assert len(counters._arrivals) == 2


def test_tokens_of_images_and_sounds_count_as_tokens(gate: CallGate) -> None:
    key = a_key_with(tpm=10_000)
    image = of_units(Unit.IMAGE_TOKEN, most=16_384, about=1_000, output=0)

    entered = let_in(gate, key, image)

    assert entered.standings[0].remaining == 10_000 - 5 - 1_000
    entered.leave(Usage(prompt_tokens=5, units=4_000))
    assert gate.standings(key)[0].remaining == 10_000 - 5 - 4_000


def test_the_longest_transcript_is_not_what_is_reserved(gate: CallGate) -> None:
    key = a_key_with(tpm=10_000)
    sound = of_units(Unit.MILLISECOND, most=5_000, about=3_000, output=16_384)

    entered = let_in(gate, key, sound)

    assert entered.standings[0].remaining == 10_000 - 5 - 1_024
    entered.leave(Usage(units=4_000))
    assert gate.standings(key)[0].remaining == 10_000
