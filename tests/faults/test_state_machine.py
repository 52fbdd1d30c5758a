"""Any order of steps, crashes included, keeps the books: on memory, SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from creditcore import (
    AuditBooks,
    Call,
    ChargeUsage,
    Credits,
    GroupCommit,
    InsufficientCreditsError,
    IssueKey,
    KeyRefusedError,
    ModelPrice,
    Rates,
    Tariff,
    Usage,
    price_units,
)
from creditcore.domain.books import Footprint
from creditcore.domain.holds import Hold
from creditcore.domain.ledger import PlatformAccount, TransferKind, Wallet, grant
from creditcore.domain.pricing import Ceiling
from creditcore.testing.memory import FixedClock, SequentialIds
from tests.faults.machines import OnMemory, OnPostgres, OnSqlite, StoreMachine, run_of

PEPPER = b"a pepper for tests"
LIFETIME = timedelta(minutes=5)
TARIFF = Tariff.parse(credits_per_usd="2", markup="1.15")

tokens = st.integers(0, 400)
calls = st.integers(0, 99)
wallets = st.sampled_from(["wallet-1", "wallet-2"])


def a_price(cents: int) -> ModelPrice:
    unit = price_units("0.0000005") * cents
    rates = Rates(
        input=unit,
        output=4 * unit,
        cache_read=unit,
        cache_write=unit,
        cache_write_1h=unit,
        reasoning=4 * unit,
    )
    return ModelPrice(model="demo", rates=rates)


class Books(StoreMachine):
    """Steps as a gateway takes them, in any order, with any repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.store, books = self.open_store()
        self.clock = FixedClock()
        self.commits = self.resources.enter_context(
            GroupCommit(transactions=books, clock=self.clock)
        )
        self.charge = ChargeUsage(
            commits=self.commits, transactions=self.store, clock=self.clock, lifetime=LIFETIME
        )
        self.issue = IssueKey(
            transactions=self.store, clock=self.clock, ids=SequentialIds(), pepper=PEPPER
        )
        self.price = a_price(1)
        self.granted = {"wallet-1": 0, "wallet-2": 0}
        self.open: dict[str, tuple[Hold, Ceiling, ModelPrice]] = {}
        self.revoked: set[str] = set()
        self.keys = {}
        for name in self.granted:
            with self.store.begin() as tx:
                tx.ledger.add_wallet(Wallet(id=name, owner_id=f"owner of {name}"))
                tx.commit()
            self.keys[name] = self.issue.issue(f"owner of {name}", name="key")
            self.grant_credits(name, 300_000, 100)

    @rule(wallet=wallets, amount=st.integers(1, 3_000_000), number=calls)
    def grant_credits(self, wallet: str, amount: int, number: int) -> None:
        gift = grant(
            wallet,
            Credits(amount),
            source=PlatformAccount.BONUS,
            kind=TransferKind.GRANT,
            reference=f"gift:{wallet}:{number}",
            at=self.clock.now(),
        )
        with self.store.begin() as tx:
            books = tx.ledger.lock(
                Footprint(wallet_ids={wallet}, transfer_references={gift.reference})
            )
            if gift.reference in books.transfers:
                return
            books.post((gift,))
            tx.ledger.write(books)
            tx.commit()
        self.granted[wallet] += amount

    @rule(wallet=wallets, number=calls, prompt=tokens, output=tokens)
    def authorize(self, wallet: str, number: int, prompt: int, output: int) -> None:
        self.admit(wallet, number, prompt, output, growing=False)

    @rule(wallet=wallets, number=calls, prompt=tokens, output=st.integers(100, 900))
    def authorize_a_beginning(self, wallet: str, number: int, prompt: int, output: int) -> None:
        self.admit(wallet, number, prompt, output, growing=True)

    def admit(self, wallet: str, number: int, prompt: int, output: int, *, growing: bool) -> None:
        reference = f"{wallet}-call-{number}"
        ceiling = self.price.ceiling(
            prompt_bound=prompt,
            output_bound=output,
            choices=1,
            tariff=TARIFF,
            fixed_output=not growing,
            opening=50 if growing else None,
        )
        _, secret = self.keys[wallet]
        try:
            admission = self.charge.authorize_key(
                secret.hash(PEPPER), ceiling=ceiling, reference=reference, call=Call(model="demo")
            )
        except KeyRefusedError:
            assert wallet in self.revoked
            return
        except InsufficientCreditsError:
            return
        assert wallet not in self.revoked
        if admission.hold.is_open:
            self.open.setdefault(reference, (admission.hold, ceiling, self.price))

    @rule(data=st.data(), output=st.integers(60, 900))
    def extend(self, data: st.DataObject, output: int) -> None:
        growing = [name for name, (_, top, _) in self.open.items() if top.opening is not None]
        if not growing:
            return
        reference = data.draw(st.sampled_from(sorted(growing)))
        hold, ceiling, price = self.open[reference]

        extension = self.charge.extend(hold, ceiling=ceiling, output_bound=output)

        assert extension.hold.amount >= hold.amount
        assert extension.paid_output <= output
        self.open[reference] = (extension.hold, ceiling, price)

    @rule(data=st.data(), prompt=tokens, output=tokens)
    def settle(self, data: st.DataObject, prompt: int, output: int) -> None:
        self.close(data, prompt, output, later=False)

    @rule(data=st.data(), prompt=tokens, output=tokens)
    def settle_later(self, data: st.DataObject, prompt: int, output: int) -> None:
        self.close(data, prompt, output, later=True)

    def close(self, data: st.DataObject, prompt: int, output: int, *, later: bool) -> None:
        if not self.open:
            return
        reference = data.draw(st.sampled_from(sorted(self.open)))
        hold, ceiling, price = self.open[reference]
        cost = TARIFF.charge(
            price.cost_units(Usage(prompt_tokens=prompt, completion_tokens=output))
        )
        if later:
            most = ceiling.amount() if ceiling.opening is not None else None
            self.charge.settle_later(hold, cost, most=most)
            self.commits.flush()
        else:
            assert not self.charge.settle(hold, cost).is_open
        # Half of them stay, to be settled again.
        if output % 2:
            del self.open[reference]

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.open:
            reference = data.draw(st.sampled_from(sorted(self.open)))
            assert not self.charge.release(self.open.pop(reference)[0]).is_open

    @rule(minutes=st.sampled_from([0, 1, 1, 6]))
    def expire(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        self.charge.expire()

    @rule(wallet=st.sampled_from(["wallet-1", *["wallet-2"] * 4]))
    def revoke(self, wallet: str) -> None:
        # One wallet's key is hardly ever revoked, so that there are calls to make.
        self.issue.revoke(self.keys[wallet][0].id, owner_id=f"owner of {wallet}")
        self.revoked.add(wallet)

    @rule(wallet=wallets)
    def issue_another_key(self, wallet: str) -> None:
        self.keys[wallet] = self.issue.issue(f"owner of {wallet}", name="key")
        self.revoked.discard(wallet)

    @rule(cents=st.integers(0, 9))
    def reprice(self, cents: int) -> None:
        self.price = a_price(cents)

    @rule(wallet=wallets, number=calls)
    def crash_before_the_commit(self, wallet: str, number: int) -> None:
        with self.store.begin() as tx:
            books = tx.ledger.lock(
                Footprint(wallet_ids={wallet}, hold_references={f"crash-{number}"})
            )
            books.admit(
                wallet,
                replace(Ceiling.of(Credits(0)), base=books.wallets[wallet].available.microcredits),
                reference=f"crash-{number}",
                call=None,
                now=self.clock.now(),
                lifetime=LIFETIME,
            )
            tx.ledger.write(books)

    @rule()
    def crash_with_calls_running(self) -> None:
        self.open.clear()

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        for name, granted in self.granted.items():
            with self.store.begin() as tx:
                wallet = tx.ledger.find_wallet(name)
                calls = tx.calls.recent(name, limit=10_000)
            charged = sum(call.charged.microcredits for call in calls)
            assert Credits(0) <= wallet.held <= wallet.posted
            assert wallet.posted.microcredits == granted - charged

    @invariant()
    def the_audit_is_clean(self) -> None:
        assert AuditBooks(transactions=self.store).audit().clean


TestOnMemory = run_of(Books, OnMemory, examples=100, steps=50)
TestOnSqlite = run_of(Books, OnSqlite, examples=12, steps=40)
TestOnPostgres = run_of(Books, OnPostgres, examples=6, steps=40)
