"""Make a newcomer at home: a profile, a wallet, and the welcome credits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from creditcore.domain.activity import SYSTEM
from creditcore.domain.alerts import (
    account_not_joined,
    address_belongs_to_another,
    welcome_credits_used_up,
)
from creditcore.domain.books import Footprint
from creditcore.domain.errors import (
    AccountNotJoinedError,
    BadCredentialsError,
    ReferenceConflictError,
    WalletNotFoundError,
)
from creditcore.domain.identities import Identity
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.limits import NO_LIMITS, KeyLimits
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.people import Person, Role
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.store_ports import HasAlerts, HasDailyGrants, HasKeys, HasPeople
from creditcore.ports.transactions import Begins, GrantTransaction
from creditcore.usecases.keys.limit_account import LimitAccount

_MANY = Credits.of(1_000_000)


class WelcomePersonTransaction(
    GrantTransaction, HasAlerts, HasDailyGrants, HasKeys, HasPeople, Protocol
):
    """What welcoming a person reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomePerson:
    """Give everyone who signs in what they need here, once.

    Attributes:
        signup_credits: What a newcomer gets, once their address is verified.
        credits_per_day: What all newcomers of a day get together, in UTC. Who comes later gets
            theirs at a sign-in of another day.
        account_limits: What all keys of a newcomer may use together.
    """

    transactions: Begins[WelcomePersonTransaction]
    clock: Clock
    ids: Ids
    signup_credits: Credits = ZERO
    credits_per_day: Credits = _MANY
    account_limits: KeyLimits = NO_LIMITS

    def welcome(self, identity: Identity, *, role: Role = Role.USER) -> Person:
        """Return the person, made complete where something is missing.

        Called at every sign-in, so that an interrupted first one is healed by the next.

        Raises:
            BadCredentialsError: Since they were recognised all their sessions were ended,
                as a new password does: what they showed may be the old one. Or they are
                blocked here, or the person of this id is known to the provider by another.
            AccountNotJoinedError: Their address has an account here that is not joined to the
                one at the provider. Operators are told.
        """
        try:
            return self._welcome(identity, role)
        except ReferenceConflictError:
            # The same person, signing in twice at once: the other one has made what was missing.
            return self._welcome(identity, role)

    def _welcome(self, identity: Identity, role: Role) -> Person:
        with self.transactions.begin() as tx:
            person = self._known(tx, identity) or self._add_person(tx, identity, role)
            if person.blocked or identity.session_epoch not in (None, person.session_epoch):
                raise BadCredentialsError
            person = self._follow(tx, person, identity)
            wallet = self._wallet_of(tx, person)
            if identity.email_verified and self.signup_credits:
                self._grant_signup_credits(tx, person, wallet)
            tx.commit()
        return person

    @staticmethod
    def _known(tx: WelcomePersonTransaction, identity: Identity) -> Person | None:
        if identity.session_epoch is not None:
            # An account of our own: its id is ours, wherever it was joined to in the meantime.
            return tx.people.find(identity.subject)
        return tx.people.find_by_subject(identity.subject)

    def _add_person(self, tx: WelcomePersonTransaction, identity: Identity, role: Role) -> Person:
        if tx.people.find(identity.subject) is not None:
            raise BadCredentialsError
        if tx.people.find_by_email(identity.email) is not None:
            tx.alerts.add(account_not_joined(identity.subject, at=self.clock.now()))
            tx.commit()
            raise AccountNotJoinedError
        person = Person(
            id=identity.subject, email=identity.email, role=role, created_at=self.clock.now()
        )
        tx.people.add(person)
        return person

    def _follow(self, tx: WelcomePersonTransaction, person: Person, identity: Identity) -> Person:
        """Return the person with the address that the provider knows, if that can be."""
        if person.email == identity.email or not identity.email_verified or person.blocked:
            return person
        if tx.people.find_by_email(identity.email) is not None:
            tx.alerts.add(address_belongs_to_another(person.id, at=self.clock.now()))
            return person
        found = tx.people.lock(person.id) or person
        moved = replace(found, email=identity.email)
        tx.people.save(moved)
        return moved

    def _wallet_of(self, tx: WelcomePersonTransaction, person: Person) -> Wallet:
        try:
            return tx.ledger.find_wallet_of(person.id)
        except WalletNotFoundError:
            wallet = Wallet(id=self.ids.new(), owner_id=person.id)
            tx.ledger.add_wallet(wallet)
            if self.account_limits != NO_LIMITS:
                limits = LimitAccount(transactions=self.transactions, clock=self.clock)
                limits.apply(tx, wallet.id, person.id, self.account_limits, actor=SYSTEM)
            return wallet

    def _grant_signup_credits(
        self, tx: WelcomePersonTransaction, person: Person, wallet: Wallet
    ) -> None:
        reference = f"signup:{person.id}"
        books = tx.ledger.lock(Footprint(wallet_ids={wallet.id}, transfer_references={reference}))
        if reference in books.transfers:
            # The amount may have changed since; who was greeted stays greeted.
            return
        now = self.clock.now()
        if not tx.daily_grants.claim(now.date(), self.signup_credits, at_most=self.credits_per_day):
            tx.alerts.add(welcome_credits_used_up(self.credits_per_day, at=now))
            return
        welcome = grant(
            wallet.id,
            self.signup_credits,
            source=PlatformAccount.BONUS,
            kind=TransferKind.SIGNUP,
            reference=reference,
            at=now,
        )
        books.post((welcome,))
        tx.ledger.write(books)
