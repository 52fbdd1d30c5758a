"""Reads over all wallets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from creditcore.domain.errors import WebhookNotFoundError
from creditcore.domain.holds import Outcome
from creditcore.domain.ledger import TransferKind, Wallet
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.people import Person
from creditcore.domain.periods import Span
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.refunds import Refund, RefundState
from creditcore.domain.teams import Membership, Team, TeamRole
from creditcore.domain.usage_hours import HOUR, hour_of
from creditcore.ports.calls import Place
from creditcore.ports.oversight import (
    Account,
    FoundKind,
    InboxDepth,
    OpenHolds,
    OpenPayments,
    Takings,
)
from creditcore.ports.payment_events import PaymentEvent
from creditcore.ports.payments import EventKind
from creditcore.ports.transactions import Transactions
from creditcore.testing.contracts.samples import (
    MINUTE,
    NOON,
    a_key,
    a_purchase,
    a_wallet,
    admit,
    settle,
)

DAY = timedelta(days=1)
AROUND_NOON = Span(hour_of(NOON), hour_of(NOON) + HOUR)


class OversightContract:
    """What operators read of all accounts."""

    def test_nothing_adds_up_to_nothing(self, transactions: Transactions) -> None:
        with transactions.begin() as tx:
            totals = tx.oversight.totals()

            assert (totals.wallets, totals.posted) == (0, ZERO)
            assert tx.oversight.open_holds() == OpenHolds()
            assert tx.oversight.open_payments() == OpenPayments()
            assert tx.oversight.credits_in() == {}
            assert list(tx.oversight.takings()) == []
            assert list(tx.oversight.usage([AROUND_NOON])) == [{}]
            assert list(tx.oversight.usage([])) == []
            assert tx.oversight.inbox() == InboxDepth()

    def test_wallets_and_holds_add_up(self, transactions: Transactions) -> None:
        for number in (1, 2):
            a_wallet(transactions, posted=100, wallet_id=f"wallet-{number}")
        admit(transactions, 30, reference="call-1")
        later = NOON + MINUTE
        admit(transactions, 5, reference="call-2", wallet_id="wallet-2", now=later)

        with transactions.begin() as tx:
            totals = tx.oversight.totals()
            assert tx.oversight.open_holds() == OpenHolds(number=2, oldest_at=NOON)
        assert totals.wallets == 2
        assert (totals.posted, totals.held, totals.owed) == (Credits(200), Credits(35), ZERO)

    def test_payments_without_an_end_are_counted(self, transactions: Transactions) -> None:
        begun = a_purchase(a_wallet(transactions), reference="cc-1")
        with transactions.begin() as tx:
            tx.purchases.add(begun)
            tx.purchases.add(replace(begun, reference="cc-2", created_at=NOON + MINUTE))
            failed = replace(begun, reference="cc-3", created_at=NOON - DAY)
            tx.purchases.add(replace(failed, state=PurchaseState.FAILED, closed_at=NOON))
            tx.commit()

        with transactions.begin() as tx:
            assert tx.oversight.open_payments() == OpenPayments(
                number=2, oldest_at=begun.created_at
            )

    def test_credits_that_came_in_are_told_by_kind_and_time(
        self, transactions: Transactions
    ) -> None:
        a_wallet(transactions, posted=100)
        settle(transactions, admit(transactions, 30), 20)

        with transactions.begin() as tx:
            assert tx.oversight.credits_in() == {TransferKind.GRANT: Credits(100)}
            assert tx.oversight.credits_in(AROUND_NOON) == {TransferKind.GRANT: Credits(100)}
            assert tx.oversight.credits_in(Span(NOON - DAY, NOON)) == {}

    def test_takings_are_by_currency_less_what_went_back(self, transactions: Transactions) -> None:
        wallet = a_wallet(transactions)
        with transactions.begin() as tx:
            for number in (1, 2):
                tx.purchases.add(_paid(a_purchase(wallet, reference=f"cc-{number}")))
            tx.purchases.add(a_purchase(wallet, reference="cc-3"))
            for number, state in enumerate((RefundState.PENDING, RefundState.FAILED)):
                tx.refunds.save(
                    Refund(
                        id=f"refund-{number}",
                        purchase="cc-1",
                        wallet_id=wallet.id,
                        amount=Money(43000, "KES"),
                        state=state,
                        created_at=NOON + DAY,
                        updated_at=NOON + DAY,
                    )
                )
            tx.commit()

        with transactions.begin() as tx:
            [kes] = tx.oversight.takings()
            [that_day] = tx.oversight.takings(AROUND_NOON)
            [next_day] = tx.oversight.takings(Span(NOON + MINUTE, NOON + 2 * DAY))
        assert kes == Takings(
            currency="KES",
            payments=2,
            paid=258000,
            value_cents=2000,
            refunded=43000,
            refunded_cents=333,
        )
        assert (that_day.payments, that_day.refunded) == (2, 0)
        assert (next_day.payments, next_day.refunded) == (0, 43000)

    def test_usage_of_all_wallets_is_complete_before_and_after_it_is_rolled_up(
        self, transactions: Transactions
    ) -> None:
        for number in (1, 2):
            a_wallet(transactions, posted=100, wallet_id=f"wallet-{number}")
            hold = admit(transactions, 30, reference=f"c-{number}", wallet_id=f"wallet-{number}")
            settle(transactions, hold, 20, outcome=Outcome(status=200))

        def read() -> tuple[int, int, int]:
            with transactions.begin() as tx:
                [before, during] = tx.oversight.usage([Span(NOON - DAY, NOON - HOUR), AROUND_NOON])
                active = tx.oversight.active_wallets(AROUND_NOON)
            assert before == {}
            return during["demo"].calls, during["demo"].charge, active

        assert read() == (2, 40, 2)
        with transactions.begin() as tx:
            tx.usage_hours.roll_up(until=NOON + HOUR)
            tx.commit()
        assert read() == (2, 40, 2)
        # Within the day, from its beginning, days before, and when it is over.
        for hours, calls in (
            (0, {"wallet-1": 1}),
            (12, {"wallet-1": 1}),
            (61, {"wallet-1": 1}),
            (-1, {}),
        ):
            since = hour_of(NOON) - hours * HOUR
            with transactions.begin() as tx:
                used = tx.oversight.used_by(["wallet-1", "wallet-9"], since=since)
            assert {wallet: tally.calls for wallet, tally in used.items()} == calls

    def test_people_are_listed_page_by_page_the_newest_first(
        self, transactions: Transactions
    ) -> None:
        people = [
            Person(id=f"p-{number}", email=f"p{number}@example.com", created_at=NOON)
            for number in range(3)
        ]
        wallet = a_wallet(transactions)
        with transactions.begin() as tx:
            for person in (*people, Person(id=wallet.owner_id, email="o@x.io", created_at=NOON)):
                tx.people.add(person)
            tx.commit()

        with transactions.begin() as tx:
            first = tx.oversight.accounts(limit=2)
            second = tx.oversight.accounts(limit=9, before=Place(NOON, first[-1].person.id))
        assert first == [Account(people[2], None), Account(people[1], None)]
        assert second[0] == Account(people[0], None)
        assert second[1].wallet == wallet

    def test_payments_are_listed_page_by_page_and_by_state(
        self, transactions: Transactions
    ) -> None:
        wallet = a_wallet(transactions)
        with transactions.begin() as tx:
            for number in range(3):
                at = NOON + number * MINUTE
                tx.purchases.add(
                    replace(a_purchase(wallet, reference=f"cc-{number}"), created_at=at)
                )
            _settled = _paid(tx.purchases.lock("cc-0"))
            tx.purchases.save(_settled)
            tx.commit()

        with transactions.begin() as tx:
            names = [row.reference for row in tx.oversight.purchases(limit=2)]
            rest = tx.oversight.purchases(limit=9, before=Place(NOON + MINUTE, "cc-1"))
            paid = tx.oversight.purchases(limit=9, state=PurchaseState.PAID)
        assert (names, list(rest), list(paid)) == (["cc-2", "cc-1"], [_settled], [_settled])

    def test_webhooks_are_listed_and_those_that_wait_counted(
        self, transactions: Transactions
    ) -> None:
        done = PaymentEvent(
            digest="d-1",
            kind=EventKind.PAID,
            name="charge.success",
            reference="cc-1",
            body="{}",
            received_at=NOON,
        )
        waiting = replace(done, digest="d-2", received_at=NOON + MINUTE, due_at=NOON + MINUTE)
        with transactions.begin() as tx:
            tx.payment_events.record(done)
            tx.payment_events.record(waiting)
            tx.commit()

        with transactions.begin() as tx:
            assert tx.oversight.events(limit=9) == [waiting, done]
            assert tx.oversight.events(limit=9, only_waiting=True) == [waiting]
            assert tx.oversight.events(limit=9, before=Place(NOON + MINUTE, "d-2")) == [done]
            assert tx.oversight.inbox() == InboxDepth(
                waiting=1, oldest_received_at=NOON + MINUTE, latest_received_at=NOON + MINUTE
            )
            assert tx.oversight.event("d-1") == done
            for unknown in ("d-9", "d\0"):
                with pytest.raises(WebhookNotFoundError):
                    tx.oversight.event(unknown)
            assert [found.id for found in tx.oversight.search("cc-1", limit=9)] == ["d-2", "d-1"]

    def test_teams_are_listed_and_found_however_their_name_is_written(
        self, transactions: Transactions
    ) -> None:
        with transactions.begin() as tx:
            tx.people.add(Person(id="amina", email="amina@example.com", created_at=NOON))
            for number, name in enumerate(("Kijani Labs", "\u00c9cole", "Kij_ni"), 1):
                team = Team(id=f"t-{number}", name=name, created_at=NOON + number * MINUTE)
                tx.teams.add(team)
                tx.ledger.add_wallet(Wallet(id=f"w-{number}", owner_id=team.id))
            tx.teams.put(
                Membership(team_id="t-1", person_id="amina", role=TeamRole.OWNER, joined_at=NOON)
            )
            first = tx.teams.lock("t-1")
            tx.teams.save(replace(first, name="Kijani Works", blocked=True))
            tx.commit()

        with transactions.begin() as tx:
            listed = tx.oversight.teams(limit=2)
            last = listed[-1].team
            older = tx.oversight.teams(limit=2, before=Place(last.created_at, last.id))
            found = {
                text: [each.id for each in tx.oversight.search(text, limit=9)]
                for text in ("KIJANI W", "kijani l", "\u00e9c", "kij", "t-2", "w-3", "kij%")
            }

        assert [(row.team.id, row.wallet.id, row.members) for row in [*listed, *older]] == [
            ("t-3", "w-3", 0),
            ("t-2", "w-2", 0),
            ("t-1", "w-1", 1),
        ]
        assert (older[0].team.name, older[0].team.blocked) == ("Kijani Works", True)
        assert found == {
            "KIJANI W": ["t-1"],
            "kijani l": [],
            "\u00e9c": ["t-2"],
            "kij": ["t-3", "t-1"],
            "t-2": ["t-2"],
            "w-3": ["t-3"],
            "kij%": [],
        }

    def test_one_text_finds_people_keys_calls_and_payments(
        self, transactions: Transactions
    ) -> None:
        wallet = a_wallet(transactions, posted=100)
        amina = Person(id=wallet.owner_id, email="amina@example.com", created_at=NOON)
        with transactions.begin() as tx:
            tx.people.add(amina)
            tx.keys.add(a_key(wallet))
            numbers: Any = {"provider_id": "5012345678", "receipt_code": "SKL7XYZ12A"}
            tx.purchases.add(replace(a_purchase(wallet), **numbers))
            tx.commit()
        admit(transactions, 7)

        def found(text: str) -> list[tuple[FoundKind, str, str]]:
            with transactions.begin() as tx:
                return [
                    (each.kind, each.id, each.owner_id)
                    for each in tx.oversight.search(text, limit=9)
                ]

        person = (FoundKind.PERSON, amina.id, amina.id)
        key = (FoundKind.KEY, "key-1", amina.id)
        payment = (FoundKind.PAYMENT, "cc-1", amina.id)
        for text in ("Amina@", amina.id, wallet.id):
            assert found(text) == [person]
        for text in ("key-1", "sk-cc-abcd", "wxyz"):
            assert found(text) == [key]
        assert found("call-1") == [(FoundKind.CALL, "call-1", amina.id)]
        for text in ("cc-", "5012345678", "SKL7XYZ12A", "skl7Xyz12a"):
            assert found(text) == [payment]
        for text in ("", "nothing", "amina@example.com\0", "%", "a_ina"):
            assert found(text) == []


def _paid(purchase: Purchase) -> Purchase:
    return replace(
        purchase,
        state=PurchaseState.PAID,
        paid=purchase.offer.price,
        provider_id="1",
        channel="card",
        closed_at=NOON,
    )
