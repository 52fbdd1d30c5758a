"""Refunds and disputes through the whole product: command, provider, webhooks, wallet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from creditcore import Credits, PurchaseState
from creditcore.domain.refunds import Refund, RefundState
from tests.e2e.buyer import BOUGHT, WELCOME, Buyer
from tests.stack import Stack, wait_until


class Refunded(Buyer):
    """Somebody whose payment goes back."""

    def refunds(self, reference: str) -> list[Refund]:
        with self.stack.store.begin() as tx:
            return list(tx.refunds.of(reference))

    def paid(self) -> str:
        """Buy, pay, and wait for the credits."""
        reference = self.buy()
        self.pay(reference)
        wait_until(lambda: self.balance == WELCOME + BOUGHT)
        return reference

    def paid_without(self, other: str) -> str:
        """Buy once more, while another purchase stays uncredited."""
        reference = self.buy()
        assert reference != other
        self.pay(reference)
        wait_until(lambda: self.balance == WELCOME + BOUGHT)
        return reference

    def refund(self, reference: str, *options: str) -> Any:
        done = self.stack.flask(
            "refund", "--reference", reference, "--reason", "asked for it", "--json", *options,
            check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def number(self, reference: str) -> int:
        [row] = self.control("GET", "transactions", params={"reference": reference})
        return int(row["id"])

    def wait_for(self, reference: str, *states: RefundState) -> None:
        wait_until(lambda: [refund.state for refund in self.refunds(reference)] == list(states))


@pytest.fixture
def buyer(sqlite_stack: Stack) -> Iterator[Refunded]:
    with Refunded(sqlite_stack) as visitor:
        visitor.sign_up()
        yield visitor


def test_partial_refunds_by_command_add_up(buyer: Refunded) -> None:
    reference = buyer.paid()

    first = buyer.refund(reference, "--amount", "3.33")
    again = buyer.refund(reference, "--amount", "3.33")
    rest = buyer.refund(reference)

    assert [row["amount_minor_units"] for row in (first, again, rest)] == [333, 333, 334]
    assert buyer.balance == WELCOME
    assert buyer.purchase(reference).state is PurchaseState.REVERSED
    for refund in buyer.refunds(reference):
        buyer.control(
            "POST", "refunds", json={"id": int(refund.provider_id), "status": "processed"}
        )
    buyer.wait_for(reference, *[RefundState.PROCESSED] * 3)
    assert buyer.stack.audit().clean


def test_a_refund_whose_answer_is_lost_is_made_once(buyer: Refunded) -> None:
    reference = buyer.paid()
    buyer.control("POST", "faults", json={"endpoint": "refund", "drop": True, "after": True})

    told = buyer.refund(reference, "--amount", "5")

    assert told["state"] == "pending"
    calls = buyer.control("GET", "calls", params={"endpoint": "refund"})
    assert len([call for call in calls if reference in call["body"]]) == 1
    assert buyer.balance == WELCOME + Credits.of(1000)


def test_a_refund_begun_on_the_dashboard_and_one_that_fails(buyer: Refunded) -> None:
    reference = buyer.paid()
    number = buyer.number(reference)

    made = buyer.control("POST", "refunds", json={"transaction": reference, "amount": 500})
    wait_until(lambda: buyer.balance == WELCOME + Credits.of(1000))
    assert made["transaction"] == number
    buyer.control("POST", "refunds", json={"id": made["id"], "status": "failed"})

    wait_until(lambda: buyer.balance == WELCOME + BOUGHT)
    assert buyer.purchase(reference).state is PurchaseState.PAID
    assert buyer.stack.audit().clean


def test_a_dispute_blocks_what_was_spent_and_a_won_one_frees_it(buyer: Refunded) -> None:
    reference = buyer.paid()
    wallet = buyer.stack.wallet_of(buyer.person.id)

    dispute = buyer.control("POST", "disputes", json={"reference": reference})
    wait_until(lambda: buyer.balance == WELCOME)
    buyer.control("POST", "disputes", json={"id": dispute["id"]})
    buyer.control("POST", "disputes", json={"id": dispute["id"], "resolution": "declined"})
    wait_until(lambda: buyer.balance == WELCOME + BOUGHT)

    other = buyer.control("POST", "disputes", json={"reference": reference})
    buyer.control("POST", "disputes", json={"id": other["id"], "resolution": "auto-accepted"})
    buyer.wait_for(reference, RefundState.FAILED, RefundState.PROCESSED)
    assert buyer.stack.wallet_of(buyer.person.id).owed == Credits(0)
    assert wallet.owed == Credits(0)
    assert buyer.stack.audit().clean


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--amount", "10.01"], "can still go back"),
        (["--amount", "-1"], "no amount of USD"),
        (["--amount", "0"], "no amount of USD"),
        (["--amount", "1.001"], "no amount of USD"),
        (["--amount", "ten"], "not a plain decimal"),
        (["--amount", "nan"], "not a plain decimal"),
    ],
)
def test_a_refund_that_makes_no_sense_says_why(
    buyer: Refunded, options: list[str], told: str
) -> None:
    reference = buyer.paid()

    done = buyer.stack.flask(
        "refund", "--reference", reference, "--reason", "test", *options, check=False
    )

    assert done.returncode == 1
    assert told in done.stderr
    assert buyer.balance == WELCOME + BOUGHT


def test_a_person_without_debts_owes_nothing(buyer: Refunded) -> None:
    done = buyer.stack.flask("debt", "clear", "--email", buyer.person.email, "--reason", "test")
    unknown = buyer.stack.flask(
        "refund", "--reference", "cc-nothing", "--reason", "test", check=False
    )

    assert "owes nothing" in done.stdout
    assert unknown.returncode == 1
    assert "no purchase" in unknown.stderr


def test_reconciling_credits_what_was_missed_and_lists_the_rest(buyer: Refunded) -> None:
    reference = buyer.buy()
    buyer.hide_from_worker(reference)
    buyer.pay(reference, webhook=False)
    refunded = buyer.paid_without(reference)
    buyer.control("POST", "refunds", json={"transaction": refunded, "webhook": False})

    done = buyer.stack.flask("reconcile", "--json", check=False)

    report = json.loads(done.stdout)
    kinds = {row["reference"]: row["kind"] for row in report["findings"]}
    assert kinds[reference] == "credited"
    assert kinds[refunded] == "refund_followed"
    assert "payout_sum_differs" not in kinds.values()
    assert sum(day["payments"] for day in report["paid_out"]) > 0
    assert buyer.balance == WELCOME + BOUGHT
    assert done.returncode == (0 if report["clean"] else 1)
    text = buyer.stack.flask("reconcile", check=False).stdout
    assert "collected" in text
    assert "paid out" in text
    assert buyer.stack.audit().clean


def test_reconciling_goes_on_where_paystack_refuses_to_tell_disputes(buyer: Refunded) -> None:
    reference = buyer.buy()
    buyer.hide_from_worker(reference)
    buyer.pay(reference, webhook=False)
    buyer.control("POST", "faults", json={"endpoint": "disputes", "status": 403, "times": 100})

    try:
        done = buyer.stack.flask("reconcile", "--json", check=False)
    finally:
        buyer.control("DELETE", "faults")

    report = json.loads(done.stdout)
    kinds = {row["reference"]: row["kind"] for row in report["findings"]}
    assert kinds[reference] == "credited"
    assert kinds["disputes"] == "disputes_unread"
    assert report["paid_out"]
    assert done.returncode == 1


@pytest.mark.parametrize(
    "period",
    [["--from", "2999-01-01"], ["--from", "1999-01-01"], ["--from", "soon"],
     ["--from", "2026-02-02", "--to", "2026-02-01"]],
)  # fmt: skip
def test_a_period_that_makes_no_sense_says_why(sqlite_stack: Stack, period: list[str]) -> None:
    done = sqlite_stack.flask("reconcile", *period, check=False)

    assert done.returncode in (1, 2)
    assert "Error" in done.stderr
