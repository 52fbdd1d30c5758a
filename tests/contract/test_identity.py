"""Every provider of identity keeps the contract: local accounts on each store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher

from adapters.local_auth import LocalIdentityOperators, LocalIdentityProvider, Passwords, Tokens
from adapters.local_auth.letters import Letter, WriteLetters
from adapters.local_auth.outbox import LINK_JOB
from adapters.vault import AesVault
from creditcore import SystemIds
from creditcore.domain.identities import LinkKind
from creditcore.domain.lease import RetryPolicy
from creditcore.ports.transactions import Transactions
from creditcore.testing import contracts
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.jobs.run_jobs import RunJobs

SECRET = "a-secret-for-tests-0123456789-abcdef"


def cheap_hasher() -> PasswordHasher:
    """The real algorithm with the least work it allows."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class LocalHouse:
    """Local accounts on a store, with a worker that writes into a mailbox."""

    transactions: Transactions
    sends_mail: bool
    confirms: bool = True
    clock: FixedClock = field(default_factory=FixedClock)
    mailbox: list[Letter] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids, passwords, tokens = SystemIds(), Passwords(hasher=cheap_hasher()), Tokens(SECRET)
        self.provider = LocalIdentityProvider(
            self.transactions,
            self.clock,
            ids,
            passwords=passwords,
            tokens=tokens,
            vault=AesVault(SECRET),
            sends_mail=self.sends_mail,
            confirms=self.confirms,
        )
        self.operators = LocalIdentityOperators(
            self.transactions, self.clock, ids, passwords=passwords, sends_mail=self.sends_mail
        )
        letters = WriteLetters(
            self.transactions,
            self.clock,
            tokens,
            base_url="https://credits.example",
            send=lambda template, name, to, values: self.mailbox.append(
                Letter(id=name, template=template, to=to, values=dict(values))
            ),
        )
        self.worker = RunJobs(
            transactions=self.transactions,
            clock=self.clock,
            handlers={LINK_JOB: letters.write},
            policies={LINK_JOB: RetryPolicy()},
        )

    def token(self, email: str, kind: LinkKind) -> str | None:
        self.worker.run_due(LINK_JOB)
        letters = [
            letter
            for letter in self.mailbox
            if letter.to == email and letter.template == f"link_{kind}"
        ]
        if not letters:
            return None
        query = parse_qs(urlsplit(str(letters[-1].values["url"])).query)
        return query["token_hash"][0]

    def now(self) -> datetime:
        return self.clock.now()

    def wait(self, by: timedelta) -> None:
        self.clock.advance(by)


class TestLocalAccounts(contracts.IdentityContract):
    @pytest.fixture
    def house(self, any_store: Transactions) -> LocalHouse:
        return LocalHouse(any_store, sends_mail=True)


class TestLocalAccountsThatConfirmNothing(contracts.IdentityContract):
    @pytest.fixture
    def house(self) -> LocalHouse:
        return LocalHouse(MemoryTransactions(), sends_mail=True, confirms=False)


class TestLocalAccountsWithoutMail(contracts.IdentityContract):
    @pytest.fixture
    def house(self, any_store: Transactions) -> LocalHouse:
        return LocalHouse(any_store, sends_mail=False)
