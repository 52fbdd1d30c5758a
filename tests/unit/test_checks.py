"""What the monitor looks at, and what it mends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from creditcore import ModelPrice, Rates
from creditcore.domain.errors import IdentityUnavailableError, UpstreamUnavailableError
from creditcore.domain.jobs import Job
from creditcore.domain.lease import Lease
from creditcore.domain.mirrors import SyncStatus
from creditcore.domain.monitoring import Finding
from creditcore.domain.pricing import Tariff
from creditcore.domain.purchases import PurchaseState
from creditcore.ports.model_gateway import Catalogue
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.testing.contracts import a_key, a_purchase, a_wallet
from creditcore.testing.memory import FixedClock, MemoryModelGateway, MemoryTransactions
from creditcore.testing.memory_mirrors import MemoryUpstreamKeys
from creditcore.usecases.calls.keep_catalogue import KeepCatalogue
from creditcore.usecases.keys.mirror_keys import MirrorKeys
from creditcore.usecases.monitoring.checks import OLDEST_PRICES, WEBHOOKS_COME_WITHIN, Checks
from creditcore.usecases.monitoring.heal import Heal
from creditcore.usecases.monitoring.watch import Watch

RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=1)


class House:
    """A gateway's checks over a store in memory."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryTransactions(), FixedClock()
        self.people: Any = SimpleNamespace(find=lambda _email: None)
        payments: Any = SimpleNamespace(verify=lambda _reference: None)
        self.checks = Checks(
            transactions=self.store,
            clock=self.clock,
            model_gateway=MemoryModelGateway(),
            payment_gateway=payments,
            operators=self.people,
            mirrors_keys=True,
            mailer=None,
            data_dir=Path(),
        )

    def found(self, check: str) -> Finding:
        return self.checks.all()[check]()


@pytest.fixture
def house() -> House:
    return House()


def test_every_check_is_there_once(house: House) -> None:
    assert list(house.checks.all()) == [
        "database",
        "model server",
        "prices",
        "payments",
        "webhooks",
        "identity",
        "key copies",
        "jobs",
        "holds",
        "disk",
    ]
    assert "key copies" not in replace(house.checks, mirrors_keys=False).all()


def test_old_prices_are_a_fault(house: House) -> None:
    assert not house.found("prices").is_healthy
    assert house.found("prices").detail == "Models with a price: 0."
    catalogue = KeepCatalogue(transactions=house.store, clock=house.clock)
    catalogue.take(Catalogue([ModelPrice(model="demo", rates=RATES)]))
    assert house.found("prices").is_healthy
    assert "1, fetched within the last minute." in house.found("prices").detail
    house.clock.advance(timedelta(minutes=1))
    assert "fetched 1 minute ago." in house.found("prices").detail

    house.clock.advance(OLDEST_PRICES - timedelta(minutes=1))

    assert not house.found("prices").is_healthy
    assert "60 minutes ago" in house.found("prices").detail


def test_a_payment_without_any_webhook_tells_that_they_go_astray(house: House) -> None:
    wallet = a_wallet(house.store)
    paid = replace(
        a_purchase(wallet, reference="cc-1"),
        state=PurchaseState.PAID,
        created_at=house.clock.now(),
    )
    with house.store.begin() as tx:
        tx.purchases.add(paid)
        tx.commit()
    assert house.found("webhooks").is_healthy

    house.clock.advance(WEBHOOKS_COME_WITHIN + timedelta(seconds=1))
    assert "cc-1" in house.found("webhooks").detail
    assert not house.found("webhooks").is_healthy

    event = PaymentEvent(
        digest="d-1",
        kind=EventKind.PAID,
        name="charge.success",
        body="{}",
        reference="cc-1",
        received_at=paid.created_at,
    )
    with house.store.begin() as tx:
        tx.payment_events.record(event)
        tx.commit()
    assert house.found("webhooks").is_healthy


def test_identity_that_does_not_answer_raises(house: House) -> None:
    assert house.found("identity").is_healthy

    def silent(_email: str) -> None:
        raise IdentityUnavailableError

    house.people.find = silent
    with pytest.raises(IdentityUnavailableError):
        house.found("identity")


def test_copies_that_failed_are_found_and_made_due_where_the_server_is_back(
    house: House,
) -> None:
    wallet = a_wallet(house.store)
    with house.store.begin() as tx:
        tx.keys.add(a_key(wallet))
        tx.commit()
    upstream = MemoryUpstreamKeys()
    mirrors = MirrorKeys(
        transactions=house.store, clock=house.clock, upstream=upstream, tariff=Tariff.parse()
    )
    put, upstream.put = upstream.put, failing  # type: ignore[method-assign]
    mirrors.sync_due()
    assert not house.found("key copies").is_healthy

    upstream.put = put  # type: ignore[method-assign]
    assert mirrors.sync_due() == 0
    assert (mirrors.retry_failed(), mirrors.sync_due()) == (1, 1)
    assert house.found("key copies").is_healthy
    with house.store.begin() as tx:
        assert tx.mirrors.counts() == {SyncStatus.SYNCED: 1}


def failing(_key: object) -> str:
    raise UpstreamUnavailableError


def healed(house: House) -> list[tuple[str, Mapping[str, object]]]:
    with house.store.begin() as tx:
        return [(each.target, each.after) for each in tx.activity.recent(limit=9)]


def test_what_fails_is_mended_and_noted_where_something_was(house: House) -> None:
    def broken() -> int:
        raise UpstreamUnavailableError

    heal = Heal(
        transactions=house.store,
        clock=house.clock,
        remedies={"holds": lambda: 3, "prices": broken, "key copies": lambda: 0},
    )
    bad = Finding(is_healthy=False)
    watch = Watch(
        transactions=house.store,
        clock=house.clock,
        checks={
            **dict.fromkeys(("holds", "prices", "key copies", "disk"), lambda: bad),
            "database": lambda: Finding(is_healthy=True),
        },
        heal=heal.heal,
    )

    watch.watch(Job(kind="watch", business_key="1", run_at=house.clock.now(), lease=Lease()))

    assert healed(house) == [("check:holds", {"mended": 3})]
