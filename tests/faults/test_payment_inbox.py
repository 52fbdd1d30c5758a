"""A payment that Paystack reported is credited, though a process dies or Paystack is away then."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from creditcore import PurchaseState
from tests.e2e.buyer import (
    Buyer,
    a_buyer,
    a_webhook,
    deliveries_of,
    send_webhook,
    signed,
    trouble_at_paystack,
)
from tests.stack import PATIENCE_S, Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database


@pytest.fixture(scope="module")
def sqlite_brittle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A gateway of our own, which others need not survive."""
    with running_stack("", tmp_path_factory.mktemp("inbox-sqlite")) as stack:
        yield stack


@pytest.fixture(scope="module")
def postgres_brittle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The same with two processes, on PostgreSQL, where only a worker works off what is left."""
    data: Path = tmp_path_factory.mktemp("inbox-postgres")
    with (
        migrated_postgres_database() as url,
        running_stack(url, data, workers=2) as stack,
    ):
        yield stack


@pytest.fixture(params=["sqlite", "postgres"])
def brittle(request: pytest.FixtureRequest) -> Stack:
    found: Stack = request.getfixturevalue(f"{request.param}_brittle")
    return found


@pytest.fixture
def buyer(brittle: Stack) -> Iterator[Buyer]:
    with a_buyer(brittle) as buyer:
        yield buyer


def a_purchase(buyer: Buyer) -> str:
    """Begin to buy; only a webhook will tell of the payment."""
    reference = buyer.buy()
    buyer.hide_from_worker(reference)
    return reference


def questions_about(buyer: Buyer, reference: str) -> list[dict[str, Any]]:
    """Return the calls by which a payment was verified."""
    calls = buyer.control("GET", "calls", params={"endpoint": "verify"})
    return [call for call in calls if call["path"].endswith(reference)]


def wait_for_questions(buyer: Buyer, reference: str, *, count: int = 1) -> list[dict[str, Any]]:
    """Wait until a payment was verified so often."""
    wait_until(lambda: len(questions_about(buyer, reference)) >= count)
    return questions_about(buyer, reference)


def first_answer(buyer: Buyer, reference: str) -> int | None:
    """Return the status that the first webhook about a payment got, once it has."""
    sent = buyer.control("GET", "deliveries", params={"reference": reference})
    status: int | None = sent[0]["status"] if sent else None
    return status


def work_off(stack: Stack, *references: str, buyer: Buyer) -> None:
    """See what is left of webhooks done. On SQLite the gateway may be quicker than our worker."""
    for reference in references:
        buyer.let_time_pass(reference)
    stack.flask("worker", "--once")
    wait_until(
        lambda: all(
            buyer.purchase(reference).state is PurchaseState.PAID for reference in references
        )
    )


@contextmanager
def inbox_away(stack: Stack) -> Iterator[None]:
    """Take away the table of webhooks, so that none can be stored."""

    def rename(old: str, new: str) -> None:
        with stack.store.begin() as tx:
            tx._session.change(f"ALTER TABLE {old} RENAME TO {new}")
            tx.commit()

    rename("payment_events", "payment_events_away")
    try:
        yield
    finally:
        rename("payment_events_away", "payment_events")


def test_no_event_waits_behind_a_webhook_that_is_being_acted_upon(
    brittle: Stack, buyer: Buyer
) -> None:
    reference = a_purchase(buyer)
    buyer.pay(reference, webhook=False)
    body = a_webhook(reference)

    # A proxy in front of us may send the next request of anybody on the same connection.
    with trouble_at_paystack(buyer, "verify", hang=True), requests.Session() as proxy:
        url = f"{brittle.base_url}/payments/paystack"
        taken = proxy.post(url, data=body, headers=signed(body), timeout=PATIENCE_S)
        wait_for_questions(buyer, reference)
        other = proxy.get(f"{brittle.base_url}/healthz", timeout=PATIENCE_S)
        [question] = questions_about(buyer, reference)

    assert (taken.status_code, other.status_code) == (200, 200)
    assert question["ended_at"] is None


def test_what_was_acknowledged_before_a_power_cut_is_credited_after_it(
    brittle: Stack, buyer: Buyer
) -> None:
    reference = a_purchase(buyer)

    with trouble_at_paystack(buyer, "verify", hang=True):
        buyer.pay(reference)
        answered = wait_until(lambda: first_answer(buyer, reference))
        [question] = wait_for_questions(buyer, reference)
        brittle.kill()
    brittle.start()
    between = buyer.purchase(reference).state
    work_off(brittle, reference, buyer=buyer)

    assert answered == 200
    # Paystack had its answer while we still waited for ours.
    assert question["ended_at"] is None
    assert between is PurchaseState.PENDING
    assert deliveries_of(brittle, reference) == [1]
    buyer.assert_credited_once(reference)


def test_a_webhook_that_cannot_be_verified_is_taken_and_acted_upon_later(
    brittle: Stack, buyer: Buyer
) -> None:
    reference = a_purchase(buyer)

    with trouble_at_paystack(buyer, "verify", status=500):
        buyer.pay(reference)
        answered = wait_until(lambda: first_answer(buyer, reference))
        for rounds in range(1, 4):
            wait_for_questions(buyer, reference, count=rounds)
            buyer.let_time_pass(reference)
            brittle.flask("worker", "--once")
        between = buyer.purchase(reference).state
    work_off(brittle, reference, buyer=buyer)

    assert answered == 200
    assert between is PurchaseState.PENDING
    assert deliveries_of(brittle, reference) == [1]
    buyer.assert_credited_once(reference)


def test_a_webhook_that_cannot_be_stored_is_sent_again(brittle: Stack, buyer: Buyer) -> None:
    reference = a_purchase(buyer)
    buyer.pay(reference, webhook=False)
    body = a_webhook(reference)

    with inbox_away(brittle):
        refused = send_webhook(brittle, body, signed(body))
        between = buyer.purchase(reference).state
    taken = send_webhook(brittle, body, signed(body))
    wait_until(lambda: buyer.purchase(reference).state is PurchaseState.PAID)

    assert (refused, taken) == (503, 200)
    assert between is PurchaseState.PENDING
    buyer.assert_credited_once(reference)


def test_money_that_arrives_after_a_failure_is_credited_by_its_webhook(
    brittle: Stack, buyer: Buyer
) -> None:
    reference = buyer.buy()
    with brittle.store.begin() as tx:
        tx._session.change(
            "UPDATE transactions SET state = 'failed', closed_at = created_at"
            " WHERE paystack_ref = ?",
            (reference,),
        )
        tx.commit()

    buyer.pay(reference)
    wait_until(lambda: buyer.purchase(reference).state is PurchaseState.PAID)

    buyer.assert_credited_once(reference)


def test_workers_at_once_ask_once_about_each_payment(brittle: Stack, buyer: Buyer) -> None:
    references = [a_purchase(buyer) for _ in range(4)]
    with trouble_at_paystack(buyer, "verify", status=500):
        for reference in references:
            buyer.pay(reference)
            wait_for_questions(buyer, reference)
    for reference in references:
        buyer.let_time_pass(reference)

    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(brittle.flask, "worker", "--once") for _ in range(2)]:
            done.result()
    wait_until(lambda: len(buyer.transfers()) == 2 * len(references))

    assert [len(questions_about(buyer, reference)) for reference in references] == [2] * 4
    assert {buyer.purchase(reference).state for reference in references} == {PurchaseState.PAID}
    assert brittle.audit().clean
