"""Somebody who buys credits at the payment sandbox, and the webhooks about their payments."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from creditcore import Credits, Purchase, PurchaseState, Transfer, TransferKind
from creditcore.domain.alerts import Alert
from tests.stack import PATIENCE_S, Stack
from tests.visitors import Visitor

PAYMENTS = "/payments/paystack"
SECRET_KEY = "sk_test_sandbox"
WELCOME = Credits.of(200)
BOUGHT = Credits.of(2_000)

# More than anybody asks for while the fault lasts.
FOR_LONG = 10_000


class Buyer(Visitor):
    """Somebody who buys, and what is true of their payments."""

    def control(self, method: str, path: str, **more: Any) -> Any:
        """Ask or tell the payment sandbox something."""
        url = f"{self.stack.sandbox.base_url}/control/paystack/{path}"
        answer = requests.request(method, url, timeout=PATIENCE_S, **more)
        answer.raise_for_status()
        return answer.json()

    def buy(self, usd: int = 10) -> str:
        """Start a purchase and return its reference."""
        answer = self.post_json("/api/checkout/start", {"amount_usd": usd})
        assert answer.status_code == 201, answer.text
        reference: str = answer.json()["reference"]
        return reference

    def hide_from_worker(self, reference: str) -> None:
        """Keep a purchase from those that the worker asks about, which it may do at any time."""
        with self.stack.store.begin() as tx:
            tx._session.change(
                "UPDATE transactions SET created_at = expires_at WHERE paystack_ref = ?",
                (reference,),
            )
            tx.commit()

    def show_to_worker(self, reference: str) -> None:
        """Let the worker ask about a purchase again."""
        with self.stack.store.begin() as tx:
            tx._session.change(
                "UPDATE transactions SET created_at = 1 WHERE paystack_ref = ?", (reference,)
            )
            tx.commit()

    def let_time_pass(self, reference: str) -> None:
        """Make webhooks about a payment due that were not acted upon."""
        with self.stack.store.begin() as tx:
            tx._session.change(
                "UPDATE payment_events SET due_at = received_at"
                " WHERE reference = ? AND due_at IS NOT NULL",
                (reference,),
            )
            tx.commit()

    def pay(self, reference: str, **order: object) -> None:
        """Pay on Paystack's page; its webhook leaves unless told otherwise."""
        self.control("POST", "pay", json={"reference": reference, **order})

    def come_back(self, reference: str) -> requests.Response:
        """Follow the browser from Paystack's page to ours."""
        query = {"trxref": reference, "reference": reference}
        return self.get(PAYMENTS, params=query, allow_redirects=True)

    def purchase(self, reference: str) -> Purchase:
        with self.stack.store.begin() as tx:
            return tx.purchases.find(reference)

    def purchases(self) -> list[Purchase]:
        owner_id = self.person.id
        with self.stack.store.begin() as tx:
            return list(tx.purchases.list_of(owner_id, limit=100))

    @property
    def balance(self) -> Credits:
        return self.stack.wallet_of(self.person.id).posted

    def transfers(self) -> list[Transfer]:
        """Return what purchases have moved."""
        wallet = self.stack.wallet_of(self.person.id)
        bought = (TransferKind.PURCHASE, TransferKind.BONUS)
        with self.stack.store.begin() as tx:
            found = tx.ledger.transfers_of(wallet.id, limit=1_000)
        return [transfer for transfer in found if transfer.kind in bought]

    def assert_credited_once(self, reference: str) -> None:
        assert self.balance == WELCOME + BOUGHT
        assert {transfer.reference for transfer in self.transfers()} == {
            f"purchase:{reference}:sales",
            f"purchase:{reference}:bonus",
        }
        assert len(self.transfers()) == 2
        assert self.purchase(reference).state is PurchaseState.PAID
        assert self.stack.audit().clean

    def assert_not_credited(self) -> None:
        assert self.balance == WELCOME
        assert not self.transfers()


def a_webhook(reference: str, **data: object) -> bytes:
    """Return what Paystack posts when a payment of $10 succeeded."""
    payment = {"reference": reference, "status": "success", "amount": 1000, "currency": "USD"}
    return json.dumps({"event": "charge.success", "data": {"id": 1, **payment, **data}}).encode()


def signed(body: bytes, key: str = SECRET_KEY) -> dict[str, str]:
    """Return the header that proves a webhook."""
    return {"x-paystack-signature": hmac.new(key.encode(), body, hashlib.sha512).hexdigest()}


def send_webhook(stack: Stack, body: bytes, headers: dict[str, str] | None = None) -> int:
    answer = requests.post(
        f"{stack.base_url}{PAYMENTS}", data=body, headers=headers, timeout=PATIENCE_S
    )
    return answer.status_code


def deliveries_of(stack: Stack, reference: str) -> list[int]:
    """Return how often each stored event about a payment was delivered."""
    with stack.store.begin() as tx:
        rows = tx._session.rows(
            "SELECT deliveries FROM payment_events WHERE reference = ?", (reference,)
        )
    return [row.deliveries for row in rows]


def alerts_about(stack: Stack, reference: str) -> list[Alert]:
    with stack.store.begin() as tx:
        found = tx.alerts.recent(limit=1_000)
    return [alert for alert in found if reference in alert.key]


@contextmanager
def trouble_at_paystack(
    buyer: Buyer, endpoint: str, *, times: int = FOR_LONG, **fault: Any
) -> Iterator[None]:
    """Let every call of one endpoint fail until the end of the block."""
    buyer.control("POST", "faults", json={"endpoint": endpoint, "times": times, **fault})
    try:
        yield
    finally:
        buyer.control("DELETE", "faults")


@contextmanager
def a_buyer(stack: Stack, *, tags: str = "") -> Iterator[Buyer]:
    with Buyer(stack) as buyer:
        buyer.sign_up(tags=tags)
        yield buyer
