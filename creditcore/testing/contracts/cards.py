"""What every store promises of saved cards and standing orders for top-ups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditcore.domain.errors import CardNotFoundError, ReferenceConflictError
from creditcore.domain.money import Credits, Money
from creditcore.domain.saved_cards import CardConsent, ConsentPurpose, SavedCard
from creditcore.domain.top_ups import TopUp, TopUpOrder, TopUpState
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import MINUTE, NOON, a_purchase, a_wallet, at_once

_CREDIT = 1_000_000

CARD = SavedCard(
    id="card-1",
    owner_id="amina",
    email="amina@example.com",
    signature="SIG_1",
    brand="visa",
    last4="4081",
    expires="2030-12",
    bank="Test Bank",
    reference="cc-1",
    sealed=b"\x00sealed",
    saved_at=NOON,
)
CONSENT = CardConsent(
    id="consent-1",
    person_id="amina",
    purpose=ConsentPurpose.TOP_UP,
    subject="wallet-1",
    text="I let you charge my card.",
    given_at=NOON,
    address="203.0.113.7",
    user_agent="Firefox",
)
ORDER = TopUpOrder(
    wallet_id="wallet-1",
    person_id="amina",
    card_id="card-1",
    threshold=Credits.of(100),
    value=Money(500, "USD"),
    currency="KES",
    per_day=2,
    monthly_cap=Money(5000, "USD"),
    changed_at=NOON,
)
TOP_UP = TopUp(
    reference="cc-1", wallet_id="wallet-1", number=1, value=Money(500, "USD"), begun_at=NOON
)


class SavedCardsContract:
    """A subclass provides the ``transactions`` fixture."""

    def test_a_card_comes_back_as_it_was_saved(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.cards.save(CARD)
            tx.commit()
        removed = replace(CARD, sealed=b"", removed_at=NOON + MINUTE, last4="0000")

        with transactions.begin() as tx:
            assert tx.cards.find("card-1", owner_id="amina") == CARD
            assert list(tx.cards.of("amina")) == [CARD]
            tx.cards.save(removed)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.cards.lock("card-1", owner_id="amina") == removed
            assert list(tx.cards.of("amina")) == []
            found = tx.cards.find_alike("amina", email=CARD.email, signature="SIG_1")
            assert found == removed
            assert tx.cards.find_alike("amina", email=CARD.email, signature="SIG_2") is None

    @pytest.mark.parametrize("card_id", ["card-2", "", "card-1\0", "card-1"])
    def test_a_card_is_found_by_its_owner_alone(
        self, transactions: Transactions, card_id: str
    ) -> None:
        with transactions.begin() as tx:
            tx.cards.save(CARD)
            tx.commit()
        owner = "brian" if card_id == "card-1" else "amina"

        with transactions.begin() as tx:
            for find in (tx.cards.find, tx.cards.lock):
                with pytest.raises(CardNotFoundError):
                    find(card_id, owner_id=owner)
            assert list(tx.cards.of("brian")) == []

    def test_a_person_has_a_card_once(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            tx.cards.save(CARD)
            tx.commit()

        with transactions.begin() as tx, pytest.raises(ReferenceConflictError):
            tx.cards.save(replace(CARD, id="card-2"))
        with transactions.begin() as tx:
            tx.cards.save(replace(CARD, id="card-2", owner_id="brian"))
            tx.cards.save(replace(CARD, id="card-3", email="other@example.com", saved_at=NOON))
            tx.commit()

        with transactions.begin() as tx:
            assert [card.id for card in tx.cards.of("amina")] == ["card-3", "card-1"]

    def test_cards_whose_code_is_kept_follow_each_other(self, transactions: Transactions) -> None:
        removed = replace(CARD, id="card-2", owner_id="brian", removed_at=NOON)
        forgotten = replace(CARD, id="card-3", owner_id="chege", sealed=b"", removed_at=NOON)
        with transactions.begin() as tx:
            for card in (removed, forgotten, CARD):
                tx.cards.save(card)
            tx.commit()

        with transactions.begin() as tx:
            assert list(tx.cards.sealed_after("", limit=9)) == [CARD, removed]
            assert list(tx.cards.sealed_after("", limit=1)) == [CARD]
            assert list(tx.cards.sealed_after("card-1", limit=9)) == [removed]

    def test_one_consent_is_in_force_and_all_are_kept(self, transactions: Transactions) -> None:
        later = replace(CONSENT, id="consent-2", text="Another.", given_at=NOON + MINUTE)
        with transactions.begin() as tx:
            tx.cards.add_consent(CONSENT)
            tx.cards.add_consent(later)
            assert tx.cards.consent_to(ConsentPurpose.TOP_UP, "wallet-1") == CONSENT
            tx.cards.withdraw(ConsentPurpose.TOP_UP, "wallet-1", at=NOON + MINUTE)
            tx.cards.withdraw(ConsentPurpose.TOP_UP, "wallet-1", at=NOON + 2 * MINUTE)
            assert tx.cards.consent_to(ConsentPurpose.TOP_UP, "wallet-1") is None
            tx.cards.add_consent(later)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.cards.consent_to(ConsentPurpose.TOP_UP, "wallet-1") == later
            assert tx.cards.consent_to(ConsentPurpose.SAVE_CARD, "wallet-1") is None
            ended = replace(CONSENT, withdrawn_at=NOON + MINUTE)
            assert list(tx.cards.consents_of("amina")) == [later, ended]
            assert list(tx.cards.consents_of("brian")) == []


class TopUpsContract:
    """A subclass provides the ``transactions`` fixture."""

    def test_an_order_comes_back_as_it_was_saved(self, transactions: Transactions) -> None:
        self._ordered(transactions)
        changed = replace(
            ORDER,
            state=TopUpState.STOPPED,
            reason="declined",
            pending="cc-1",
            begun=1,
            rests_until=NOON + MINUTE,
        )

        with transactions.begin() as tx:
            assert tx.top_ups.find("wallet-1") == ORDER
            assert tx.top_ups.lock("wallet-2") is None
            assert list(tx.top_ups.by_card("card-1")) == ["wallet-1"]
            assert list(tx.top_ups.by_card("card-2")) == []
            tx.top_ups.save(changed)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.top_ups.lock("wallet-1") == changed

    @pytest.mark.parametrize(
        ("changes", "is_due"),
        [
            ({}, True),
            ({"rests_until": NOON}, True),
            ({"rests_until": NOON + MINUTE}, False),
            ({"pending": "cc-1"}, False),
            ({"state": TopUpState.STOPPED}, False),
            ({"state": TopUpState.OFF}, False),
            ({"threshold": Credits.of(50)}, False),
        ],
        ids=str,
    )
    def test_what_is_due_is_found(
        self, transactions: Transactions, changes: dict[str, object], *, is_due: bool
    ) -> None:
        self._ordered(transactions)
        order = replace(ORDER, **changes)  # type: ignore[arg-type]
        with transactions.begin() as tx:
            tx.top_ups.save(order)
            tx.commit()

        with transactions.begin() as tx:
            found = list(tx.top_ups.due(now=NOON, limit=9))
            wallet = tx.ledger.find_wallet("wallet-1")

        assert found == (["wallet-1"] if is_due else [])
        assert order.is_due(wallet, NOON) is is_due

    def test_attempts_are_begun_once_and_kept(self, transactions: Transactions) -> None:
        self._ordered(transactions)
        with transactions.begin() as tx:
            tx.top_ups.add(TOP_UP)
            tx.commit()

        for again in (TOP_UP, replace(TOP_UP, reference="cc-2")):
            with transactions.begin() as tx, pytest.raises(ReferenceConflictError):
                tx.top_ups.add(again)
        with transactions.begin() as tx:
            tx.top_ups.mark("cc-1", failed=True)
            tx.commit()

        failed = replace(TOP_UP, failed=True)
        with transactions.begin() as tx:
            assert tx.top_ups.attempt("cc-1") == failed
            assert tx.top_ups.attempt("cc-9") is None
            assert list(tx.top_ups.recent("wallet-1", since=NOON)) == [failed]
            assert list(tx.top_ups.recent("wallet-1", since=NOON + MINUTE)) == []
            tx.top_ups.mark("cc-1", failed=False)
            assert tx.top_ups.attempt("cc-1") == TOP_UP

    def test_of_many_at_once_one_begins_an_attempt(self, transactions: Transactions) -> None:
        self._ordered(transactions)

        def begin(_: int) -> bool:
            with transactions.begin() as tx:
                order = tx.top_ups.lock("wallet-1")
                assert order is not None
                if order.pending:
                    return False
                order, top_up = order.begin(at=NOON)
                tx.top_ups.add(replace(top_up, reference="cc-1"))
                tx.top_ups.save(order)
                tx.commit()
            return True

        assert at_once(4, begin).count(True) == 1

    def _ordered(self, transactions: Transactions) -> None:
        wallet = a_wallet(transactions, posted=_CREDIT * 99)
        with transactions.begin() as tx:
            for reference in ("cc-1", "cc-2"):
                tx.purchases.add(a_purchase(wallet, reference=reference))
            tx.cards.save(CARD)
            tx.top_ups.save(ORDER)
            tx.commit()
