"""The way to PostgreSQL breaks at a COMMIT, just before or just after it happened.

Seen from outside: what the caller is told and what the books say agree, a call is charged at most
once, and one that is repeated under its Idempotency-Key is charged once in the end.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import requests

from creditcore import Credits, HoldState
from tests.faults.aftermath import calls_of, open_holds
from tests.faults.cutter import Cut, Cutter, cutter
from tests.faults.length import TIMES
from tests.faults.outcomes import price
from tests.stack import Account, Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database

FUNDED = Credits.of(100_000)
STEPS = {"hold": 0, "settlement": 1}
"""Which of the two money steps of a call it is."""

WAYS = list(itertools.product(STEPS, Cut, ["document", "stream"]))
ROUNDS = -(-100 * TIMES // (20 * len(WAYS)))
HI = "[[sim tokens=3 prompt=11]]"
COSTS = price(11, 3)


@pytest.fixture(scope="module")
def way() -> Iterator[Cutter]:
    with migrated_postgres_database() as url, cutter(url) as way:
        yield way


@pytest.fixture(scope="module")
def gateway(way: Cutter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One that reaches its database through the cutter, beside us who do not."""
    data = tmp_path_factory.mktemp("cut")
    with running_stack(way.direct_url, data, POSTGRES_URL=way.url) as stack:
        yield stack


@pytest.fixture
def account(gateway: Stack) -> Account:
    return gateway.an_account(credits_=str(FUNDED))


def ask(stack: Stack, account: Account, kind: str, token: str = "") -> requests.Response:
    headers = {"idempotency-key": token} if token else {}
    body = {
        "model": "demo-chat",
        "messages": [{"role": "user", "content": HI}],
        "stream": kind == "stream",
    }
    return stack.post("/v1/chat/completions", body, key=account.api_key, headers=headers)


def cut_one(
    stack: Stack, way: Cutter, account: Account, ways: tuple[str, Cut, str], token: str = ""
) -> requests.Response:
    """Make a call of which one step is cut; return its answer once that has happened."""
    step, cut, kind = ways
    way.arm(cut, after=STEPS[step])
    before = way.cuts
    answer = ask(stack, account, kind, token)
    # A settlement is off the path of its caller.
    wait_until(lambda: way.cuts > before)
    return answer


def is_closed(stack: Stack, account: Account, call_id: str) -> bool:
    return any(hold.reference == call_id and not hold.is_open for hold in calls_of(stack, account))


def expect_told(step: str, answer: requests.Response, kind: str) -> bool:
    """Assert that an answer is whole, or a refusal; return whether it is whole."""
    if step == "settlement":
        assert answer.status_code == 200
    if answer.status_code == 200:
        if kind == "stream":
            assert answer.text.endswith("data: [DONE]\n\n")
        else:
            assert Credits.parse(answer.headers["x-credits-cost"]) == COSTS
        return True
    assert answer.status_code == 503
    assert "Nothing was charged" in answer.json()["error"]["message"]
    assert int(answer.headers["retry-after"]) > 0
    return False


def made_by_repeat(
    stack: Stack, account: Account, kind: str, token: str
) -> requests.Response | None:
    """Repeat a refused call; return its answer if it is made this time."""
    answer = ask(stack, account, kind, token)
    if answer.status_code == 409:
        # It is not known yet that the first attempt holds nothing.
        assert answer.json()["error"]["code"] == "call_running"
        return None
    return answer if expect_told("hold", answer, kind) else None


def expect_charged(stack: Stack, account: Account, served: list[str]) -> None:
    """Assert that these calls were charged, each once, and no other."""
    holds = calls_of(stack, account)
    charged = [hold for hold in holds if hold.charged]
    assert sorted(hold.reference for hold in charged) == sorted(served)
    assert {(hold.state, hold.charged) for hold in charged} <= {(HoldState.SETTLED, COSTS)}
    wallet = stack.wallet_of(account.person_id)
    spent = Credits(len(served) * COSTS.microcredits)
    assert (wallet.posted, wallet.held) == (FUNDED - spent, Credits(0))
    report = stack.audit()
    assert report.clean, report


def test_what_a_caller_was_told_is_what_was_charged(
    gateway: Stack,
    way: Cutter,
    account: Account,
    record_property: Callable[[str, object], None],
) -> None:
    served = []
    for ways in WAYS * ROUNDS:
        answer = cut_one(gateway, way, account, ways)
        call_id = answer.headers["x-request-id"]
        if expect_told(ways[0], answer, ways[2]):
            served.append(call_id)
        # Of one that was refused it is noted as well that it holds nothing.
        wait_until(partial(is_closed, gateway, account, call_id))

    expect_charged(gateway, account, served)
    record_property("tries", len(WAYS) * ROUNDS)
    record_property("figure", f"{len(served)} answered and charged, no other charged")


def test_a_call_repeated_under_its_name_is_charged_once(
    gateway: Stack,
    way: Cutter,
    account: Account,
    record_property: Callable[[str, object], None],
) -> None:
    served = []
    for ways in WAYS * ROUNDS:
        token = uuid.uuid4().hex
        answer = cut_one(gateway, way, account, ways, token)
        if not expect_told(ways[0], answer, ways[2]):
            answer = wait_until(partial(made_by_repeat, gateway, account, ways[2], token))
        # A caller who does not know whether it was answered asks again.
        again = ask(gateway, account, ways[2], token)
        # A stream is not kept; the refusal leads to its receipt.
        assert again.status_code == (200 if ways[2] == "document" else 409)
        assert again.headers["x-request-id"] == answer.headers["x-request-id"]
        served.append(answer.headers["x-request-id"])
        wait_until(lambda: not open_holds(gateway, account))

    expect_charged(gateway, account, served)
    record_property("tries", len(WAYS) * ROUNDS)
    record_property("figure", "each charged once")
