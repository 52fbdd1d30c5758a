"""Texts are counted in turn: each account's, each use's, and a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from creditcore.ports.token_counters import RequestToCount
from creditcore.testing.memory import FixedClock
from creditcore.usecases.calls.count_request import CountRequest
from creditcore.usecases.calls.counting_turns import (
    BLOCK,
    MOST_AT_ONCE,
    MOST_COUNTED_BYTES,
    PAUSE,
    CountingTurns,
    Use,
)

COUNTED, ESTIMATE = 11, 7


class Counter:
    """Counts requests as a test says, and remembers them."""

    def __init__(self) -> None:
        self.answer: int | None = COUNTED
        self.asked: list[RequestToCount] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def count_request(self, request: RequestToCount) -> int | None:
        self.asked.append(request)
        self.meanwhile()
        return self.answer


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def turns(clock: FixedClock) -> CountingTurns:
    return CountingTurns(clock=clock)


@pytest.fixture
def requests(counter: Counter, turns: CountingTurns) -> CountRequest:
    return CountRequest(counts=counter, turns=turns)


def a_request(said: str = "hello") -> RequestToCount:
    fields = {"model": "m", "messages": [{"role": "user", "content": said}]}
    return RequestToCount(
        fields=fields,
        written=repr(fields).encode(),
        texts=(said,),
        text=None,
        estimate=ESTIMATE,
        estimate_beside=0,
    )


def has_its_turn(turns: CountingTurns, wallet_id: str, use: Use, text: str = "a text") -> bool:
    return turns.count(wallet_id, use, model="m", text=text, ask=lambda: 1) is not None


def test_a_request_is_told_as_it_is_counted(requests: CountRequest) -> None:
    assert requests.tokens("wallet-1", a_request()) == COUNTED


def test_without_an_answer_it_is_estimated(requests: CountRequest, counter: Counter) -> None:
    counter.answer = None

    assert requests.tokens("wallet-1", a_request()) == ESTIMATE


def test_where_counting_breaks_it_is_estimated(
    requests: CountRequest, counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks() -> None:
        raise KeyError

    counter.meanwhile = breaks

    assert requests.tokens("wallet-1", a_request()) == ESTIMATE
    assert "a text for m was not counted" in caplog.text


@pytest.mark.parametrize(
    "said",
    ["Story " * (MOST_COUNTED_BYTES // 6 + 1), "x" * 2 * BLOCK, "\n" * 2 * BLOCK],
    ids=["long", "a word without end", "blanks without end"],
)
def test_what_would_keep_the_model_server_busy_is_estimated(
    requests: CountRequest, counter: Counter, said: str
) -> None:
    assert requests.tokens("wallet-1", a_request(said)) == ESTIMATE
    assert counter.asked == []


def test_an_account_that_keeps_it_counting_has_to_wait(
    requests: CountRequest, counter: Counter, clock: FixedClock
) -> None:
    counter.meanwhile = lambda: clock.advance(timedelta(seconds=2))
    requests.tokens("wallet-1", a_request())

    at_once = requests.tokens("wallet-1", a_request("another"))
    again = requests.tokens("wallet-1", a_request())
    clock.advance(timedelta(seconds=2 * PAUSE))
    later = requests.tokens("wallet-1", a_request("another"))

    assert (at_once, again, later) == (ESTIMATE, COUNTED, COUNTED)
    assert len(counter.asked) == 2


def test_what_a_client_asks_puts_off_no_call_of_its_account(
    requests: CountRequest, counter: Counter, clock: FixedClock, turns: CountingTurns
) -> None:
    meanwhile = []

    def takes_long() -> None:
        meanwhile.append(has_its_turn(turns, "wallet-1", Use.FOR_CALLS))
        clock.advance(timedelta(seconds=2))

    counter.meanwhile = takes_long

    requests.tokens("wallet-1", a_request())

    assert meanwhile == [True]
    assert not has_its_turn(turns, "wallet-1", Use.FOR_CLIENTS)
    assert has_its_turn(turns, "wallet-1", Use.FOR_CALLS, "another text")


def under_way(turns: CountingTurns, use: Use, *, at_most: int) -> int:
    """Return how many accounts are counted for at a time, and try a call of one more then."""
    begun = 0

    def ask() -> int:
        nonlocal begun
        begun += 1
        if begun < at_most:
            turns.count(f"wallet-{use}-{begun}", use, model="m", text="t", ask=ask)
        return 1

    turns.count(f"wallet-{use}-0", use, model="m", text="t", ask=ask)
    return begun


def test_clients_leave_places_to_calls(turns: CountingTurns) -> None:
    assert under_way(turns, Use.FOR_CALLS, at_most=9) == MOST_AT_ONCE
    assert under_way(turns, Use.FOR_CLIENTS, at_most=9) == MOST_AT_ONCE // 2


def test_four_are_counted_at_a_time_of_whatever_use(turns: CountingTurns) -> None:
    calls: list[int] = []

    def ask_for_calls() -> int:
        calls.append(under_way(turns, Use.FOR_CALLS, at_most=9))
        return 1

    def ask_for_another_client() -> int:
        return turns.count("b", Use.FOR_CLIENTS, model="m", text="t", ask=ask_for_calls) or 0

    turns.count("a", Use.FOR_CLIENTS, model="m", text="t", ask=ask_for_another_client)

    assert calls == [MOST_AT_ONCE - 2]
