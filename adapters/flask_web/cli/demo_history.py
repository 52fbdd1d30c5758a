"""A believable past: people, keys and calls of months, decided by the core as any other call.

Holds and charges are made by the same decisions as at the gateway, many to a transaction.
The numbers come from a seed, so that a demonstration can be repeated.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from creditcore.domain.books import Footprint
from creditcore.domain.holds import Basis, Call, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Ceiling, ModelPrice, Tariff, Usage
from creditcore.ports.transactions import Transactions

_PER_TRANSACTION = 1_000
_LIFETIME = timedelta(minutes=15)
_RESERVE = Credits.of(500)
_PAYS_BEFORE = timedelta(minutes=2)
_HOURS_OF_DAY = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 17, 13, 16, 19, 18, 15, 11, 8, 7, 6, 4, 3, 2)
"""How busy each hour of a working day is."""

_WEEKEND = 0.3
_GROWTH = 2.5
"""How much busier the last month is than the first."""

_ENDS = (
    (0.945, 200, None),
    (0.965, 499, "client_left"),
    (0.982, 502, "upstream_unavailable"),
    (0.990, 429, "rate_limit_exceeded"),
    (0.996, 200, "credits_exhausted"),
    (1.000, 504, "upstream_timeout"),
)


@dataclass(frozen=True, slots=True)
class Customer:
    """One person of the demonstration.

    Attributes:
        share: How many of a thousand calls are theirs.
    """

    wallet: Wallet
    keys: Sequence[ApiKey]
    share: int


@dataclass(frozen=True, slots=True)
class _PastCall:
    """One call, from its hold to its end."""

    reference: str
    customer: Customer
    began: datetime
    ended: datetime
    call: Call
    cost: Credits
    outcome: Outcome


class History:
    """Writes calls of the past, oldest first.

    Args:
        sell: Called with a wallet that runs low, what it should have, and when it pays.
    """

    def __init__(
        self,
        transactions: Transactions,
        *,
        customers: Sequence[Customer],
        prices: Sequence[ModelPrice],
        tariff: Tariff,
        seed: int,
        sell: Callable[[Wallet, Credits, datetime], None],
    ) -> None:
        self._transactions = transactions
        self._customers = customers
        self._prices = prices
        self._tariff = tariff
        self._random = random.Random(seed)  # noqa: S311 - a demonstration
        self._seed = seed
        self._sell = sell

    def write(self, calls: int, *, since: datetime, until: datetime) -> Iterator[int]:
        """Write so many calls; yield how many there are after each transaction."""
        written = 0
        past = self._calls(calls, since, until)
        while some := list(islice(past, _PER_TRANSACTION)):
            self._store(some)
            written += len(some)
            yield written

    def _store(self, calls: Sequence[_PastCall]) -> None:
        self._fund(calls)
        wallet_ids = {call.customer.wallet.id for call in calls}
        with self._transactions.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids=wallet_ids))
            for past in calls:
                books.admit(
                    past.customer.wallet.id,
                    Ceiling.of(past.cost),
                    reference=past.reference,
                    call=past.call,
                    now=past.began,
                    lifetime=_LIFETIME,
                )
                books.settle(past.reference, past.cost, at=past.ended, outcome=past.outcome)
            tx.ledger.write(books)
            tx.commit()

    def _fund(self, calls: Sequence[_PastCall]) -> None:
        """Let who runs low buy, as a customer would."""
        spent: Counter[str] = Counter()
        first: dict[str, _PastCall] = {}
        for past in calls:
            spent[past.customer.wallet.id] += past.cost.microcredits
            first.setdefault(past.customer.wallet.id, past)
        with self._transactions.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids=set(first)))
        for wallet_id, past in first.items():
            # What it had at first was given today, after these calls.
            wanted = Credits(2 * spent[wallet_id]) + _RESERVE + past.customer.wallet.posted
            if books.wallet(wallet_id).available < wanted:
                self._sell(past.customer.wallet, wanted, past.began - _PAYS_BEFORE)

    def _calls(self, count: int, since: datetime, until: datetime) -> Iterator[_PastCall]:
        hours = [
            since + number * timedelta(hours=1)
            for number in range((until - since) // timedelta(hours=1))
        ]
        whole = max(1, len(hours))
        weights = [
            _HOURS_OF_DAY[(hour.hour + 3) % 24]
            * (_WEEKEND if hour.weekday() >= 5 else 1)
            * (1 + _GROWTH * number / whole)
            for number, hour in enumerate(hours)
        ]
        total, due, made = sum(weights) or 1, 0.0, 0
        for hour, weight in zip(hours, weights, strict=True):
            due += count * weight / total
            here = round(due) - made
            seconds = sorted(self._random.uniform(0, 3599) for _ in range(here))
            for second in seconds:
                made += 1
                yield self._call(hour + timedelta(seconds=second), made)

    def _call(self, began: datetime, number: int) -> _PastCall:
        chance = self._random
        [customer] = chance.choices(self._customers, [each.share for each in self._customers])
        [key] = chance.choices(customer.keys, range(len(customer.keys) * 2, 0, -2))
        ranks = range(1, len(self._prices) + 1)
        [price] = chance.choices(self._prices, [1 / rank**1.3 for rank in ranks])
        rolled = chance.random()
        status, error = next((status, error) for most, status, error in _ENDS if rolled <= most)
        streamed = chance.random() < 0.7
        usage, latency_ms, first_byte_ms = self._usage(streamed=streamed, failed=status >= 500)
        cost = price.cost(usage, price.tariff(self._tariff)) if usage else None
        reference = f"call-demo-{self._seed:x}-{number:09x}"
        charged = Credits(cost.microcredits if cost else 0)
        return _PastCall(
            reference=reference,
            customer=customer,
            began=began,
            ended=began + timedelta(milliseconds=latency_ms),
            call=Call(
                model=price.model,
                endpoint="/v1/chat/completions",
                stream=streamed,
                key_id=key.id,
                prompt_bound=usage.prompt_tokens * 2 if usage else 0,
                output_bound=4096,
                price_snapshot=price.snapshot,
                multiplier=price.tariff(self._tariff).multiplier,
            ),
            cost=charged,
            outcome=Outcome(
                basis=Basis.PROVIDER_USAGE if usage else Basis.NONE,
                usage=usage,
                provider_cost_picodollars=cost.picodollars if cost else 0,
                status=status,
                error=error,
                latency_ms=latency_ms,
                first_byte_ms=first_byte_ms if streamed else None,
            ),
        )

    def _usage(self, *, streamed: bool, failed: bool) -> tuple[Usage | None, int, int]:
        """Return tokens, and how long until the last and the first byte."""
        chance = self._random
        first_byte_ms = int(chance.lognormvariate(6.0, 0.5))
        if failed:
            return None, first_byte_ms, first_byte_ms
        prompt = int(chance.lognormvariate(6.6, 1.0)) + 8
        completion = int(chance.lognormvariate(5.2, 0.9)) + 1
        cached = int(prompt * chance.random() * 0.8) if chance.random() < 0.35 else 0
        latency_ms = first_byte_ms + int(completion * chance.uniform(6, 22)) + 5 * (not streamed)
        usage = Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)
        return usage, latency_ms, first_byte_ms


def of_tokens(prices: Sequence[ModelPrice]) -> Sequence[ModelPrice]:
    """Return the models that answer in text for money, or all where there is none."""
    return [price for price in prices if price.unit is None and price.rates.output] or prices


def customers_with(shares: Sequence[tuple[Wallet, Sequence[ApiKey]]]) -> list[Customer]:
    """Return customers of whom the first calls most, and each next one less."""
    return [
        Customer(wallet, keys, share=max(1, 1000 // (number + 1)))
        for number, (wallet, keys) in enumerate(shares)
    ]
