"""Say what a call would cost, and whether it would run, without making it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from creditcore.domain.books import Books
from creditcore.domain.callers import WithoutKey
from creditcore.domain.decisions import Admission
from creditcore.domain.errors import CreditcoreError, InsufficientCreditsError
from creditcore.domain.keys import ApiKey
from creditcore.domain.money import MAX_INT64, Credits
from creditcore.domain.pricing import Tariff, Usage
from creditcore.ports.clock import Clock
from creditcore.ports.inference import HeardWire
from creditcore.ports.store_ports import HasKeys, HasLedger
from creditcore.ports.transactions import Begins
from creditcore.usecases.calls.count_prompt import CountPrompt
from creditcore.usecases.calls.planned_call import OPENING_TOKENS, PlannedCall, plan
from creditcore.usecases.calls.price_list import PriceList

_REFERENCE = "quote"


class QuoteCallTransaction(HasKeys, HasLedger, Protocol):
    """What a quote reads."""


@dataclass(frozen=True, slots=True)
class CallQuote:
    """What a call would cost now.

    Attributes:
        planned: The call, understood.
        floor: What its prompt and its units cost, counted roughly; an answer in text comes on top.
        ceiling: The most that it could cost.
        admission: How it would begin; None where it would not.
        refusal: Why it would not run; None where it would.
    """

    planned: PlannedCall
    floor: Credits
    ceiling: Credits
    admission: Admission | None
    refusal: CreditcoreError | None

    @property
    def affordable_output_tokens(self) -> int | None:
        """The output limit with which it would run, if there is one."""
        if isinstance(self.refusal, InsufficientCreditsError):
            return self.refusal.affordable_output_tokens or None
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteCall:
    """Decide about a call exactly as if it were made, on books that are not written."""

    transactions: Begins[QuoteCallTransaction]
    prices: PriceList
    tariff: Tariff
    clock: Clock
    counting: CountPrompt = field(default_factory=CountPrompt)

    def quote(
        self,
        wire: HeardWire,
        body: bytes,
        *,
        caller: ApiKey | WithoutKey,
        address: str | None = None,
    ) -> CallQuote:
        """Return what a call would cost.

        Args:
            wire: The protocol of the call.
            body: Its body.
            caller: The key that would make it, or who would without one.
            address: Where it would come from.

        Raises:
            InvalidRequestError, ModelNotFoundError: It would be refused unread.
        """
        planned = plan(
            wire,
            body,
            prices=self.prices,
            tariff=self.tariff,
            least_output=OPENING_TOKENS,
        )
        extent = planned.request.extent
        prompt = Usage(
            prompt_tokens=planned.request.prompt_estimate,
            units=0 if extent is None else extent.about,
        )
        floor = planned.price.cost(prompt, planned.tariff).microcredits
        admission, refused = None, None

        def authorize(tried: PlannedCall) -> Admission:
            # A refusal is of the call as it was tried last, which may be by a count.
            nonlocal planned
            planned = tried
            return self._admit(caller, tried)

        try:
            if isinstance(caller, ApiKey):
                caller.check_call(planned.call.model, address)
            planned, admission = self.counting.admit(wire, planned, authorize)
        except CreditcoreError as refusal:
            refused = refusal
        ceiling = planned.ceiling.amount()
        floor_credits = min(Credits(min(floor, MAX_INT64)), ceiling)
        return CallQuote(planned, floor_credits, ceiling, admission, refused)

    def _admit(self, caller: ApiKey | WithoutKey, planned: PlannedCall) -> Admission:
        counts = caller.counts
        with self.transactions.begin() as tx:
            wallet = tx.ledger.find_wallet(caller.wallet_id)
            counters = tx.keys.counters([count.id for count in counts]) if counts else {}
        books = Books(wallets={wallet.id: wallet}, counters=dict(counters))
        return books.admit(
            wallet.id,
            planned.ceiling,
            reference=_REFERENCE,
            call=planned.call,
            now=self.clock.now(),
            lifetime=timedelta(0),
            caller=caller,
        )
