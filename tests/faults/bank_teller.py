"""One of several processes that move credits between many wallets, in any order.

``python -m`` it with the URL of a PostgreSQL database and its name, which its dice begin with. It
makes grants, moves from wallet to wallet, holds that it settles or releases, purchases and refunds,
each as the product does, and asks again until the ledger has acknowledged it. Then it prints the
references of the transfers that this made. It ends when its input does, if it is not killed.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from itertools import count
from typing import TypeVar

from adapters.pony_store import PonyTransactions, open_store
from adapters.pony_store.committer.committer import PostgresCommitter
from creditcore import (
    ChargeUsage,
    ConfirmPayment,
    Credits,
    GrantCredits,
    GroupCommit,
    InsufficientCreditsError,
    Money,
    SystemClock,
    SystemIds,
)
from creditcore.domain.books import Footprint
from creditcore.domain.errors import StoreError
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, grant
from creditcore.domain.purchases import Offer, Purchase
from creditcore.domain.refunds import grant_references
from creditcore.ports.payments import Payment, PaymentStatus
from creditcore.testing.memory import MemoryPaymentGateway
from creditcore.testing.memory_refunds import MemoryRefundGateway
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.refund_payment import RefundPayment

WALLETS = [f"wallet-{number}" for number in range(8)]
PRICE = Money(1000, "USD")
THREADS = 3
"""So that money steps of one process go into one commit."""

T = TypeVar("T")


class Teller:
    """Takes one step after the other, each with a name of its own.

    Args:
        store: The books, as pages and jobs reach them.
        commits: The same, as calls do.
        name: Begins the names of all its steps.
    """

    def __init__(self, store: PonyTransactions, commits: GroupCommit, name: str) -> None:
        self._store = store
        self._clock = SystemClock()
        self._names = (f"{name}-{number}" for number in count())
        self._dice = random.Random(name)  # noqa: S311
        self._grants = GrantCredits(transactions=store, clock=self._clock)
        self._charge = ChargeUsage(commits=commits, transactions=store, clock=self._clock)
        self._provider = MemoryPaymentGateway()
        refund_gateway = MemoryRefundGateway(self._provider)
        self._payments = ConfirmPayment(
            transactions=store, gateway=self._provider, clock=self._clock
        )
        follower = FollowRefunds(
            transactions=store,
            payments=self._payments,
            gateway=self._provider,
            refund_gateway=refund_gateway,
            clock=self._clock,
            ids=SystemIds(),
        )
        self._refunds = RefundPayment(
            transactions=store, gateway=refund_gateway, refunds=follower, ids=SystemIds()
        )

    def work_until(self, stopping: threading.Event) -> None:
        steps = [self._grant, self._move, self._move, self._call, self._call, self._sale]
        while not stopping.is_set():
            # The ledger refuses what a wallet does not have: that moves nothing.
            with suppress(InsufficientCreditsError):
                references = self._dice.choice(steps)(next(self._names))
                sys.stdout.write("".join(f"{reference}\n" for reference in references))
                sys.stdout.flush()

    def _wallet(self) -> str:
        return self._dice.choice(WALLETS)

    def _amount(self) -> Credits:
        return Credits(self._dice.randint(1, 1_000_000))

    def _grant(self, name: str) -> list[str]:
        wallet_id, amount = self._wallet(), self._amount()
        until_acknowledged(
            lambda: self._grants.grant(wallet_id, amount, reason="Bank", reference=name)
        )
        return [f"grant:{name}"]

    def _move(self, name: str) -> list[str]:
        source, target = self._dice.sample(WALLETS, 2)
        amount, at = self._amount(), self._clock.now()
        out = Transfer(
            wallet_id=source,
            from_account=source,
            to_account=PlatformAccount.ADJUSTMENT,
            amount=amount,
            kind=TransferKind.GRANT,
            reference=f"out:{name}",
            at=at,
            note="move",
        )
        into = grant(
            target,
            amount,
            source=PlatformAccount.ADJUSTMENT,
            kind=TransferKind.GRANT,
            reference=f"in:{name}",
            at=at,
            note="move",
        )
        references = [out.reference, into.reference]

        def move() -> None:
            with self._store.begin() as tx:
                books = tx.ledger.lock(
                    Footprint(wallet_ids={source, target}, transfer_references=references)
                )
                books.post((out, into))
                tx.ledger.write(books)
                tx.commit()

        until_acknowledged(move)
        return references

    def _call(self, name: str) -> list[str]:
        wallet_id, ceiling = self._wallet(), self._amount()
        hold = until_acknowledged(
            lambda: self._charge.authorize(wallet_id, ceiling=ceiling, reference=name)
        ).hold
        if self._dice.random() < 0.2:
            self._charge.release_later(hold)
            return []
        # Some cost more than was held, which the operator bears.
        cost = Credits(self._dice.randint(1, ceiling.microcredits * 11 // 10))
        until_acknowledged(lambda: self._charge.settle(hold, cost))
        return [f"charge:{name}"]

    def _sale(self, name: str) -> list[str]:
        wallet_id, at = self._wallet(), self._clock.now()
        purchase = Purchase(
            reference=f"cc-{name}",
            owner_id=f"owner-of-{wallet_id}",
            wallet_id=wallet_id,
            email="amina@example.com",
            offer=Offer(
                value=PRICE, price=PRICE, rate=None, sold=self._amount(), bonus=self._amount()
            ),
            created_at=at,
            expires_at=at + timedelta(hours=1),
        )
        with self._store.begin() as tx:
            tx.purchases.add(purchase)
            tx.commit()
        self._provider.payments[purchase.reference] = Payment(
            reference=purchase.reference,
            status=PaymentStatus.SUCCEEDED,
            amount=PRICE,
            provider_id=name,
        )
        until_acknowledged(lambda: self._payments.confirm(purchase.reference))
        if self._dice.random() < 0.7:
            part = Money(self._dice.randint(1, PRICE.minor_units), PRICE.currency)
            # More than the wallet still has is owed from then on.
            with suppress(StoreError):
                self._refunds.refund(purchase.reference, part, reason="Bank")
        return list(grant_references(purchase.reference))


def until_acknowledged(step: Callable[[], T]) -> T:
    while True:
        with suppress(StoreError):
            return step()


def main(url: str, name: str) -> None:
    stopping = threading.Event()
    with (
        closing(open_store(url, wait_s=60)) as store,
        closing(PostgresCommitter(url, wait_s=60)) as committer,
        GroupCommit(transactions=committer, clock=SystemClock()) as commits,
    ):
        threads = [
            threading.Thread(
                target=Teller(store, commits, f"{name}-{number}").work_until, args=(stopping,)
            )
            for number in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        stopping.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
