"""All refunds of a payment together reverse exactly what it granted, in any order."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore.domain.books import Books
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.purchases import Offer, Purchase, PurchaseState
from creditcore.domain.refund_book import RefundBook
from creditcore.domain.refunds import (
    Refund,
    RefundKind,
    RefundState,
    ReportedRefund,
    credits_due,
    forgive,
    grant_references,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PAID = 1000
SOLD, BONUS = 1_000_000_001, 999_999_998


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def a_purchase(paid: int = PAID) -> Purchase:
    return Purchase(
        reference="cc-1",
        owner_id="amina",
        wallet_id="wallet-1",
        email="amina@example.com",
        offer=Offer(
            value=usd(paid),
            price=usd(paid),
            rate=None,
            sold=Credits(SOLD),
            bonus=Credits(BONUS),
        ),
        created_at=NOON,
        expires_at=NOON,
        state=PurchaseState.PAID,
        paid=usd(paid),
        provider_id="77",
        closed_at=NOON,
    )


def a_book(*, spent: int = 0, held: int = 0, paid: int = PAID) -> RefundBook:
    """Return the book of a purchase whose credits were granted and partly spent."""
    books = Books(wallets={"wallet-1": Wallet(id="wallet-1", owner_id="amina")})
    parts = (PlatformAccount.SALES, SOLD), (PlatformAccount.BONUS, BONUS)
    for name, (account, amount) in zip(grant_references("cc-1"), parts, strict=True):
        books.post(
            [
                grant(
                    "wallet-1",
                    Credits(amount),
                    source=account,
                    kind=TransferKind.PURCHASE,
                    reference=name,
                    at=NOON,
                )
            ]
        )
    wallet = books.wallet("wallet-1")
    books.wallets["wallet-1"] = wallet.with_balance(
        posted=wallet.posted - Credits(spent), held=Credits(held)
    )
    books.new_transfers.clear()
    return RefundBook(purchase=a_purchase(paid), refunds={}, books=books, at=NOON)


def reported(
    number: int, cents: int, state: RefundState, kind: RefundKind = RefundKind.REFUND
) -> ReportedRefund:
    return ReportedRefund(
        provider_id=str(number), amount=usd(cents), state=state, kind=kind, note=""
    )


def ids() -> itertools.count[int]:
    return itertools.count(1)


def net(book: RefundBook) -> int:
    wallet = book.books.wallet("wallet-1")
    return wallet.posted.microcredits - wallet.owed.microcredits


def reversed_by_transfers(book: RefundBook) -> int:
    return sum(
        transfer.amount.microcredits
        * ((transfer.to_account == "refunds") - (transfer.from_account == "refunds"))
        for transfer in book.books.new_transfers
    )


@given(cuts=st.lists(st.integers(1, PAID), max_size=12), spent=st.integers(0, SOLD + BONUS))
def test_partial_refunds_add_up_to_what_was_granted(cuts: list[int], spent: int) -> None:
    book = a_book(spent=spent)

    for number, cents in enumerate(cuts):
        left = PAID - book.refunded.minor_units
        if left:
            book.request(f"r{number}", usd(min(cents, left)), reason="test")
    if book.refunded < usd(PAID):
        book.request("the-rest", None, reason="test")

    assert book.refunded == usd(PAID)
    assert book.reversed == Credits(SOLD + BONUS)
    assert reversed_by_transfers(book) == SOLD + BONUS
    assert net(book) == -spent
    assert book.purchase.state is PurchaseState.REVERSED


@given(
    events=st.lists(
        st.tuples(
            st.integers(1, 4), st.sampled_from(RefundKind), st.sampled_from(RefundState)
        ).filter(lambda event: event[2] is not RefundState.REQUESTED),
        max_size=15,
    ),
    spent=st.integers(0, SOLD + BONUS),
)
def test_any_order_of_reports_keeps_the_sums(
    events: list[tuple[int, RefundKind, RefundState]], spent: int
) -> None:
    book = a_book(spent=spent)
    numbers = ids()

    for number, kind, state in events:
        report = reported(number, 250 * number, state, kind)
        book.apply([report], new_id=lambda: f"id-{next(numbers)}")
        before = (book.refunds.copy(), net(book))
        book.apply([report], new_id=lambda: f"id-{next(numbers)}")

        assert (book.refunds, net(book)) == before, "a repeat changes nothing"
        assert reversed_by_transfers(book) == book.reversed.microcredits
        assert book.reversed <= Credits(SOLD + BONUS)
        assert net(book) == SOLD + BONUS - spent - book.reversed.microcredits
        if book.refunded >= usd(PAID):
            assert book.reversed == Credits(SOLD + BONUS)
        due = credits_due(Credits(SOLD + BONUS), usd(PAID), book.refunded)
        # Rounding aside, what is in force has always taken what is due for it.
        assert abs((due - book.reversed).microcredits) <= len(book.refunds)


@given(part=st.integers(0, PAID), granted=st.integers(0, 10**15))
def test_credits_due_are_rounded_for_the_person_and_whole_in_the_end(
    part: int, granted: int
) -> None:
    due = credits_due(Credits(granted), usd(PAID), usd(part))

    assert due.microcredits * PAID <= granted * part < (due.microcredits + 1) * PAID
    assert credits_due(Credits(granted), usd(PAID), usd(PAID + part)) == Credits(granted)


def test_what_was_spent_is_owed_and_blocks_the_wallet() -> None:
    book = a_book(spent=SOLD, held=7)

    book.request("r", None, reason="test")

    wallet = book.books.wallet("wallet-1")
    assert (wallet.posted, wallet.available) == (Credits(7), ZERO)
    assert wallet.owed == Credits(SOLD + 7)
    assert [alert.subject for alert in book.alerts] == ["A wallet owes credits"]


def test_a_purchase_pays_the_debt_first() -> None:
    book = a_book(spent=SOLD + BONUS)
    book.request("r", usd(100), reason="test")
    owed = book.books.wallet("wallet-1").owed

    book.books.post(
        [
            grant(
                "wallet-1",
                owed + Credits(5),
                source=PlatformAccount.SALES,
                kind=TransferKind.PURCHASE,
                reference="purchase:cc-2:sales",
                at=NOON,
            )
        ]
    )

    wallet = book.books.wallet("wallet-1")
    assert (wallet.available, wallet.owed) == (Credits(5), ZERO)
    paid = book.books.new_transfers[-1]
    assert (paid.kind, paid.amount) == (TransferKind.REPAYMENT, owed)


def test_an_operator_clears_a_debt() -> None:
    book = a_book(spent=SOLD + BONUS)
    book.request("r", None, reason="test")
    wallet = book.books.wallet("wallet-1")

    cleared = forgive(wallet, reference="forgive:1", at=NOON, note="goodwill")
    assert cleared is not None
    book.books.post([cleared])

    assert book.books.wallet("wallet-1").owed == ZERO
    assert forgive(book.books.wallet("wallet-1"), reference="x", at=NOON, note="") is None


@pytest.mark.parametrize("state", [RefundState.PENDING, RefundState.PROCESSED])
def test_a_dispute_takes_and_a_won_one_gives_back(state: RefundState) -> None:
    book = a_book(spent=500)
    numbers = ids()

    def report(state: RefundState) -> None:
        book.apply(
            [reported(9, PAID, state, RefundKind.DISPUTE)],
            new_id=lambda: f"id-{next(numbers)}",
        )

    report(state)
    assert net(book) == -500
    report(RefundState.FAILED)
    assert net(book) == SOLD + BONUS - 500
    report(RefundState.PENDING)
    assert net(book) == SOLD + BONUS - 500, "an older report that comes later changes nothing"
    assert book.purchase.state is PurchaseState.PAID


def test_a_refund_that_was_asked_for_is_known_by_its_note_or_amount() -> None:
    book = a_book()
    first = book.request("rf-1", usd(100), reason="test")
    second = book.request("rf-2", usd(100), reason="test")

    noted = ReportedRefund(
        provider_id="8", amount=usd(100), state=RefundState.PENDING, note="rf-2: test"
    )
    book.apply([noted, reported(7, 100, RefundState.PROCESSED)], new_id=lambda: "never")

    assert book.refunds["rf-2"].provider_id == "8"
    assert book.refunds["rf-1"].provider_id == "7"
    assert book.refunds["rf-1"].state is RefundState.PROCESSED
    assert book.reversed == first.credits + second.credits


def test_a_refund_thought_never_made_counts_again_when_it_turns_up() -> None:
    book = a_book()
    refund = book.request("rf-1", usd(PAID), reason="test")
    book.fail(refund, "The provider never heard of it.")
    assert book.reversed == ZERO

    note = ReportedRefund(
        provider_id="8", amount=usd(PAID), state=RefundState.PENDING, note="rf-1: test"
    )
    book.apply([note], new_id=lambda: "never")

    assert book.reversed == Credits(SOLD + BONUS)
    assert book.refunds["rf-1"].turns == 2


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        (usd(0), "cannot"),
        (usd(-1), "cannot"),
        (usd(PAID + 1), "can still go back"),
        (Money(10, "KES"), "made in USD"),
    ],
)
def test_no_more_goes_back_than_came(amount: Money, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        a_book().request("r", amount, reason="test")


def test_a_payment_that_was_never_made_gives_nothing_back() -> None:
    book = a_book()
    book.purchase = replace(book.purchase, paid=None, state=PurchaseState.PENDING)

    with pytest.raises(InvalidRequestError, match="nothing to give back"):
        book.request("r", None, reason="test")


def test_a_full_refund_cannot_be_repeated() -> None:
    book = a_book()
    book.request("r", None, reason="test")

    with pytest.raises(InvalidRequestError, match="went back already"):
        book.request("r2", None, reason="test")


def test_a_refund_in_another_currency_is_left_to_a_person() -> None:
    book = a_book()

    book.apply(
        [
            ReportedRefund(
                provider_id="1", amount=Money(5, "KES"), state=RefundState.PROCESSED, note=""
            )
        ],
        new_id=lambda: "never",
    )

    assert book.refunds == {}
    assert [alert.subject for alert in book.alerts] == ["A refund is in another currency"]


def test_a_refund_and_a_dispute_of_one_payment_are_looked_at() -> None:
    book = a_book()
    book.request("r", usd(10), reason="test")

    book.apply([reported(1, PAID, RefundState.PENDING, RefundKind.DISPUTE)], new_id=lambda: "d")

    assert "A payment is both refunded and disputed" in [alert.subject for alert in book.alerts]
    assert book.reversed == Credits(SOLD + BONUS)


def test_a_changed_amount_is_reversed_anew() -> None:
    book = a_book()
    book.apply([reported(1, PAID, RefundState.PENDING, RefundKind.DISPUTE)], new_id=lambda: "d")

    book.apply(
        [reported(1, PAID // 2, RefundState.PROCESSED, RefundKind.DISPUTE)], new_id=lambda: "e"
    )

    assert book.reversed == credits_due(Credits(SOLD + BONUS), usd(PAID), usd(PAID // 2))
    assert reversed_by_transfers(book) == book.reversed.microcredits
    assert isinstance(book.refunds["d"], Refund)


def test_what_is_left_in_force_takes_its_share_when_others_fail() -> None:
    book = a_book()
    numbers = ids()
    for number, state in [
        (2, RefundState.PENDING),
        (3, RefundState.PENDING),
        (1, RefundState.PENDING),
        (2, RefundState.FAILED),
        (3, RefundState.FAILED),
    ]:
        book.apply([reported(number, 250 * number, state)], new_id=lambda: f"id-{next(numbers)}")

    assert book.refunded == usd(250)
    due = credits_due(Credits(SOLD + BONUS), usd(PAID), usd(250))
    assert abs((book.reversed - due).microcredits) <= 1
    assert reversed_by_transfers(book) == book.reversed.microcredits
