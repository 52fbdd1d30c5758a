"""What contracts store, and do in a transaction of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from creditcore.domain.books import Footprint
from creditcore.domain.holds import Call, Hold, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.money import Credits, ExchangeRate, Money
from creditcore.domain.pricing import Ceiling
from creditcore.domain.purchases import Offer, Purchase
from creditcore.ports.transactions import BooksTransactions, Transactions

NOON = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_wallet(transactions: Transactions, *, posted: int = 0, wallet_id: str = "wallet-1") -> Wallet:
    """Store a wallet with credits that were granted to it."""
    wallet = Wallet(id=wallet_id, owner_id=f"owner-of-{wallet_id}")
    with transactions.begin() as tx:
        tx.ledger.add_wallet(wallet)
        tx.commit()
    if posted:
        gift = grant(
            wallet_id,
            Credits(posted),
            source=PlatformAccount.BONUS,
            kind=TransferKind.GRANT,
            reference=f"gift:{wallet_id}",
            at=NOON,
        )
        with transactions.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={wallet_id}))
            books.post((gift,))
            tx.ledger.write(books)
            tx.commit()
    with transactions.begin() as tx:
        return tx.ledger.find_wallet(wallet_id)


def a_key(wallet: Wallet, *, key_id: str = "key-1", key_hash: bytes = b"h" * 32) -> ApiKey:
    """Return a key of a wallet's owner."""
    return ApiKey(
        id=key_id,
        wallet_id=wallet.id,
        owner_id=wallet.owner_id,
        name="laptop",
        prefix="sk-cc-abcd",
        last_four="wxyz",
        key_hash=key_hash,
        created_at=NOON,
    )


def a_purchase(wallet: Wallet, *, reference: str = "cc-1") -> Purchase:
    """Return a pending purchase in KES."""
    return Purchase(
        reference=reference,
        owner_id=wallet.owner_id,
        wallet_id=wallet.id,
        email="amina@example.com",
        offer=Offer(
            value=Money(1000, "USD"),
            price=Money(129000, "KES"),
            rate=ExchangeRate(129, 1, "USD", "KES"),
            sold=Credits.of(1000),
            bonus=Credits.of(1000),
        ),
        created_at=NOON,
        expires_at=NOON + MINUTE,
    )


def admit(
    transactions: BooksTransactions,
    amount: int,
    *,
    reference: str = "call-1",
    wallet_id: str = "wallet-1",
    now: datetime = NOON,
    key: ApiKey | None = None,
) -> Hold:
    """Hold credits in a transaction of its own."""
    counts = () if key is None else key.counts
    with transactions.begin() as tx:
        books = tx.ledger.lock(
            Footprint(
                wallet_ids={wallet_id},
                hold_references={reference},
                counter_ids={count.id for count in counts},
            )
        )
        admission = books.admit(
            wallet_id,
            Ceiling.of(Credits(amount)),
            reference=reference,
            call=Call(
                model="demo",
                endpoint="/v1/chat/completions",
                stream=True,
                prompt_bound=7,
                price_snapshot="0123456789abcdef",
                multiplier="2.3",
                key_id=None if key is None else key.id,
            ),
            now=now,
            lifetime=MINUTE,
            caller=key,
        )
        tx.ledger.write(books)
        tx.commit()
    return admission.hold


def grow(transactions: BooksTransactions, hold: Hold, amount: int) -> Hold:
    """Grow a hold in a transaction of its own."""
    with transactions.begin() as tx:
        books = tx.ledger.lock(
            Footprint(wallet_ids={hold.wallet_id}, hold_references={hold.reference})
        )
        extension = books.extend(hold.reference, Ceiling.of(Credits(amount)), output_bound=0)
        tx.ledger.write(books)
        tx.commit()
    return extension.hold


def settle(
    transactions: BooksTransactions,
    hold: Hold,
    cost: int,
    *,
    outcome: Outcome | None = None,
    at: datetime = NOON + MINUTE,
) -> Hold:
    """Close a hold in a transaction of its own."""
    with transactions.begin() as tx:
        books = tx.ledger.lock(
            Footprint(wallet_ids={hold.wallet_id}, hold_references={hold.reference})
        )
        closed = books.settle(hold.reference, Credits(cost), at=at, outcome=outcome)
        tx.ledger.write(books)
        tx.commit()
    return closed


def at_once(number: int, work: Callable[[int], object]) -> list[object]:
    """Run work in threads that start together; return results and errors alike."""
    gate = threading.Barrier(number)

    def run(index: int) -> object:
        gate.wait()
        try:
            return work(index)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(run, range(number)))
