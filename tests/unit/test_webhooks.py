"""A webhook is answered first and acted upon after that, at no cost of its sender."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.test import TestResponse

from adapters.flask_web.billing import payment_endpoint as webhooks
from adapters.flask_web.settings import Settings
from creditcore import ConfirmPayment, PaymentInbox
from creditcore.domain.purchases import Payment, PaymentStatus, PurchaseState
from creditcore.testing.contracts import MINUTE, NOON, a_purchase, a_wallet
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
    SequentialIds,
)
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.payments.follow_refunds import FollowRefunds

ENVIRON = {
    "AUTH_SECRET": "s" * 32,
    "PAYSTACK_SECRET_KEY": "sk_live_something",
    "LITELLM_BASE_URL": "http://litellm:4000",
    "LITELLM_MASTER_KEY": "sk-master",
}


@dataclass
class Provider(MemoryPaymentGateway):
    """A payment provider that notes when it is asked, and may break."""

    asked: list[str] = field(default_factory=list)
    breaks: bool = False

    def verify(self, reference: str) -> Payment | None:
        self.asked.append(reference)
        if self.breaks:
            raise ZeroDivisionError
        return super().verify(reference)


@dataclass
class Shop:
    app: Flask
    store: MemoryTransactions
    provider: Provider

    def deliver(self, body: str, signature: str = "signed") -> TestResponse:
        """Take a webhook, and leave the answer open."""
        return self.app.test_client().post(
            "/payments/paystack", data=body, headers={"x-signature": signature}
        )

    @property
    def state(self) -> PurchaseState:
        return self.store.committed.purchases["cc-1"].state


@pytest.fixture
def shop() -> Shop:
    store, provider = MemoryTransactions(), Provider()
    purchase = a_purchase(a_wallet(store))
    with store.begin() as tx:
        tx.purchases.add(purchase)
        tx.commit()
    provider.payments["cc-1"] = Payment(
        reference="cc-1", status=PaymentStatus.SUCCEEDED, amount=purchase.offer.price
    )
    app = Flask(__name__)
    app.secret_key = "of this test"
    clock = FixedClock(NOON)
    payments = ConfirmPayment(transactions=store, gateway=provider, clock=clock)
    refunds = FollowRefunds(
        transactions=store,
        payments=payments,
        gateway=provider,
        refund_gateway=MemoryRefundGateway(provider),
        clock=clock,
        ids=SequentialIds(),
    )
    app.extensions["creditcore"] = SimpleNamespace(
        payment_gateway=provider,
        payments=SimpleNamespace(
            confirmation=payments,
            inbox=PaymentInbox(
                transactions=store,
                gateway=provider,
                payments=payments,
                refunds=refunds,
                clock=clock,
            ),
        ),
    )
    webhooks.register(app, Settings.from_env(ENVIRON), CSRFProtect(app))
    return Shop(app, store, provider)


def test_the_provider_is_not_asked_before_the_answer_has_left(shop: Shop) -> None:
    answer = shop.deliver("paid cc-1")
    asked_before = list(shop.provider.asked)

    answer.close()

    assert answer.status_code == 200
    assert asked_before == []
    assert shop.provider.asked == ["cc-1"]
    assert shop.state is PurchaseState.PAID


def test_the_connection_is_for_no_other_while_the_provider_is_asked(shop: Shop) -> None:
    answer = shop.deliver("paid cc-1")

    assert answer.headers["connection"] == "close"


def test_an_answer_after_which_nothing_is_done_keeps_the_connection(shop: Shop) -> None:
    answer = shop.deliver("transfer.success cc-1")
    answer.close()

    assert answer.status_code == 200
    assert "connection" not in answer.headers
    assert shop.provider.asked == []


def test_what_breaks_after_the_answer_is_logged_and_left_to_the_worker(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.provider.breaks = True

    shop.deliver("paid cc-1").close()

    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "webhook about payment cc-1 is left to the worker" in caplog.text
    [event] = shop.store.committed.events.values()
    assert event.due_at == NOON + MINUTE
