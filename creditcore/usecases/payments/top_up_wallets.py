"""Top up wallets that run low, from a saved card whose holder agreed to exactly that.

An attempt is stored before the card is charged, under a name that follows from the wallet and
a count, and while it is in flight no other begins: on any number of hosts, whichever is killed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.errors import CardNotFoundError, InvalidRequestError, PurchaseLimitError
from creditcore.domain.money import Credits, Money
from creditcore.domain.people import Person
from creditcore.domain.purchases import QUOTE_LIFETIME, Offer, Purchase
from creditcore.domain.sale_terms import MONTH
from creditcore.domain.saved_cards import CardConsent, ConsentPurpose, SavedCard
from creditcore.domain.top_ups import TopUpOrder, TopUpState, consent_text
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.payment_followers import FollowedTransaction
from creditcore.ports.transactions import Begins, PurchasesTransaction
from creditcore.usecases.payments.charge_card import ChargeCard
from creditcore.usecases.payments.follow_top_ups import FollowTopUps
from creditcore.usecases.payments.sell_credits import SellCredits
from creditcore.usecases.payments.tell_payers import TellPayers, dollars

_PER_ROUND = 20

_log = logging.getLogger(__name__)


class TopUpWalletsTransaction(FollowedTransaction, PurchasesTransaction, Protocol):
    """What topping wallets up reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpWish:
    """What a person wants of automatic top-ups. See ``TopUpOrder`` for the fields."""

    card_id: str
    threshold: Credits
    value: Money
    currency: str
    per_day: int
    monthly_cap: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpWallets:
    """Keep standing orders, and carry them out.

    Attributes:
        site: Who charges, as people read it.
    """

    transactions: Begins[TopUpWalletsTransaction]
    charges: ChargeCard
    sales: SellCredits
    follower: FollowTopUps
    notices: TellPayers
    clock: Clock
    ids: Ids
    site: str

    def of(self, wallet_id: str) -> TopUpOrder | None:
        """Return the order of a wallet, if there ever was one."""
        with self.transactions.begin() as tx:
            return tx.top_ups.find(wallet_id)

    def text(self, wish: TopUpWish, card: SavedCard) -> str:
        """Return what a customer agrees to who turns this on."""
        order = self._order("", "", wish)
        return consent_text(
            order, site=self.site, card=card.label, threshold=dollars(wish.threshold)
        )

    def check(self, wish: TopUpWish) -> None:
        """Compare a wish with what is sold now.

        Raises:
            InvalidRequestError: One of its numbers cannot be, or nothing is sold for it.
        """
        self._order("", "", wish).check(self.sales.terms)
        self.sales.offer(wish.value, wish.currency)

    def turn_on(
        self,
        person: Person,
        wallet_id: str,
        wish: TopUpWish,
        *,
        agreed: bool,
        actor: Actor = SYSTEM,
    ) -> TopUpOrder:
        """Turn automatic top-ups on, or change them; what was agreed to is kept and mailed.

        Raises:
            CardNotFoundError: The person has no such card.
            InvalidRequestError: A number cannot be, the card cannot be charged, or the person
                did not agree.
        """
        self.check(wish)
        order = self._order(wallet_id, person.id, wish)
        if not agreed:
            raise InvalidRequestError(
                "Tick the box if you agree: without it, no card is charged.", param="agreed"
            )
        now = self.clock.now()
        with self.transactions.begin() as tx:
            known = tx.top_ups.lock(wallet_id)
            card = tx.cards.find(wish.card_id, owner_id=person.id)
            if not card.is_usable(now):
                raise InvalidRequestError(f"Your {card.label} cannot be charged.", param="card")
            if known is not None:
                order = replace(
                    order,
                    pending=known.pending,
                    begun=known.begun,
                    rests_until=known.rests_until,
                )
            consent = CardConsent(
                id=self.ids.new(),
                person_id=person.id,
                purpose=ConsentPurpose.TOP_UP,
                subject=wallet_id,
                text=self.text(wish, card),
                given_at=now,
                address=actor.address,
                user_agent=actor.user_agent,
            )
            tx.cards.withdraw(ConsentPurpose.TOP_UP, wallet_id, at=now)
            tx.cards.add_consent(consent)
            tx.top_ups.save(order)
            self._note(tx, Act.TOP_UP_TURNED_ON, order, actor)
            self.notices.top_up_turned_on(tx, order, consent)
            tx.commit()
        return order

    def turn_off(self, person: Person, wallet_id: str, *, actor: Actor = SYSTEM) -> None:
        """Turn automatic top-ups off; a payment in flight is still credited."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            order = tx.top_ups.lock(wallet_id)
            if order is None or order.person_id != person.id or order.state is TopUpState.OFF:
                return
            order = order.turn_off(at=now)
            tx.top_ups.save(order)
            tx.cards.withdraw(ConsentPurpose.TOP_UP, wallet_id, at=now)
            self._note(tx, Act.TOP_UP_TURNED_OFF, order, actor)
            tx.commit()

    def run_due(self) -> int:
        """Begin the attempts that are due; return how many cards were charged.

        Any number of workers may do this at once.
        """
        with self.transactions.begin() as tx:
            wallets = tx.top_ups.due(now=self.clock.now(), limit=_PER_ROUND)
        return sum(self._top_up(wallet_id) for wallet_id in wallets)

    def _top_up(self, wallet_id: str) -> bool:
        order = self.of(wallet_id)
        if order is None:
            return False
        try:
            offer = self.sales.offer(order.value, order.currency)
            begun = self._begin(wallet_id, offer)
        except InvalidRequestError as error:
            # No rate now, or the terms have changed: later, or by another order.
            _log.warning("wallet %s is not topped up: %s", wallet_id, error)
            self._rest(wallet_id, limit="")
            return False
        except PurchaseLimitError as error:
            self._rest(wallet_id, limit=f"{error.limit} in {error.days} days for everything")
            return False
        if begun is None:
            return False
        purchase, card = begun
        charge = self.charges.collect(purchase, card)
        if charge.challenge_url:
            self._stop_at_challenge(purchase)
        return True

    def _begin(self, wallet_id: str, offer: Offer) -> tuple[Purchase, SavedCard] | None:
        """Store the next attempt, if it is due, may be made, and is no other process's just now."""
        now = self.clock.now()
        with self.transactions.begin() as tx:
            # The wallet first, as deciding about a payment does.
            books = tx.ledger.lock(Footprint(wallet_ids={wallet_id}))
            order = tx.top_ups.lock(wallet_id)
            if order is None or not order.is_due(books.wallet(wallet_id), now):
                return None
            card, person = _card(tx, order), tx.people.find(order.person_id)
            why = _obstacle(card, person, self.clock)
            if why or card is None or person is None:
                self.follower.stop(tx, order, why, event=f"{wallet_id}:{order.begun}")
                tx.commit()
                return None
            limit = order.limit_reached(tx.top_ups.recent(wallet_id, since=now - MONTH), now)
            if limit:
                self._rest_in(tx, order, limit)
                tx.commit()
                return None
            order, top_up = order.begin(at=now)
            purchase = Purchase(
                reference=top_up.reference,
                owner_id=person.id,
                wallet_id=wallet_id,
                email=person.email,
                offer=offer,
                created_at=now,
                expires_at=now + QUOTE_LIFETIME,
                card_id=card.id,
            )
            self.sales.add(tx, purchase, now=now)
            tx.top_ups.add(top_up)
            tx.top_ups.save(order)
            tx.commit()
        return purchase, card

    def _stop_at_challenge(self, purchase: Purchase) -> None:
        reason = "Your bank wants you to confirm the payment: open the link below."
        with self.transactions.begin() as tx:
            order = tx.top_ups.lock(purchase.wallet_id)
            if order is not None:
                self.follower.stop(tx, order, reason, event=purchase.reference)
                tx.commit()

    def _rest(self, wallet_id: str, *, limit: str) -> None:
        with self.transactions.begin() as tx:
            order = tx.top_ups.lock(wallet_id)
            if order is not None:
                self._rest_in(tx, order, limit)
                tx.commit()

    def _rest_in(self, tx: TopUpWalletsTransaction, order: TopUpOrder, limit: str) -> None:
        now = self.clock.now()
        tx.top_ups.save(order.rest(at=now))
        if limit:
            self.notices.top_up_limited(tx, order, limit, at=now)

    def _order(self, wallet_id: str, person_id: str, wish: TopUpWish) -> TopUpOrder:
        return TopUpOrder(
            wallet_id=wallet_id,
            person_id=person_id,
            card_id=wish.card_id,
            threshold=wish.threshold,
            value=wish.value,
            currency=wish.currency,
            per_day=wish.per_day,
            monthly_cap=wish.monthly_cap,
            changed_at=self.clock.now(),
        )

    def _note(self, tx: TopUpWalletsTransaction, act: Act, order: TopUpOrder, actor: Actor) -> None:
        tx.activity.add(
            Activity(
                actor=actor,
                act=act,
                target=f"wallet:{order.wallet_id}",
                person_id=order.person_id,
                after={
                    "threshold": str(order.threshold),
                    "value": str(order.value),
                    "per_day": order.per_day,
                    "monthly_cap": str(order.monthly_cap),
                },
                at=self.clock.now(),
            )
        )


def _card(tx: TopUpWalletsTransaction, order: TopUpOrder) -> SavedCard | None:
    try:
        return tx.cards.find(order.card_id, owner_id=order.person_id)
    except CardNotFoundError:
        return None


def _obstacle(card: SavedCard | None, person: Person | None, clock: Clock) -> str:
    """Return why a card must not be charged for a person, in a sentence; empty where it may."""
    if person is None or person.blocked:
        return "The account is blocked."
    if card is None or not card.is_usable(clock.now()):
        return "The card has expired or was removed."
    return ""
