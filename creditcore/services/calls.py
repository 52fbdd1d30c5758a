"""The use cases of inference calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from creditcore.ports.metrics import PoolUse
from creditcore.services.keys import KeyServices
from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.usecases.books.group_commit import MAX_WAITING, GroupCommit
from creditcore.usecases.calls.call_gate import CallGate
from creditcore.usecases.calls.charge_usage import ChargeUsage
from creditcore.usecases.calls.count_prompt import CountPrompt
from creditcore.usecases.calls.count_request import CountRequest
from creditcore.usecases.calls.counting_turns import CountingTurns
from creditcore.usecases.calls.direct_calls import DirectCalls
from creditcore.usecases.calls.expire_holds import ExpireHolds
from creditcore.usecases.calls.keep_refusals import KeepRefusals
from creditcore.usecases.calls.patience import Patience
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.quote_call import QuoteCall
from creditcore.usecases.calls.recover_settlements import RecoverSettlements
from creditcore.usecases.calls.relay_call import RelayCall
from creditcore.usecases.calls.repeat_call import RepeatCall
from creditcore.usecases.calls.write_receipt import WriteReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class CallServices:
    """From a call's price and hold to its receipt."""

    commits: GroupCommit
    charge: ChargeUsage
    prices: PriceList
    gate: CallGate
    relay: RelayCall
    direct: DirectCalls
    repeats: RepeatCall
    quotes: QuoteCall
    counts: CountRequest
    recovery: RecoverSettlements
    expiry: ExpireHolds
    receipts: WriteReceipt
    refusals: KeepRefusals

    def waiting_commits(self) -> PoolUse:
        """Return how many steps wait for their transaction, and how many may."""
        return PoolUse(name="commits", taken=self.commits.waiting, size=MAX_WAITING)

    @classmethod
    def of(cls, ports: Ports, rules: Rules, *, keys: KeyServices) -> Self:
        """Build them."""
        store, clock = ports.transactions, ports.clock
        commits = GroupCommit(transactions=ports.committing, clock=clock)
        charge = ChargeUsage(
            commits=commits, transactions=store, clock=clock, lifetime=rules.hold_lifetime
        )
        prices = PriceList(transactions=store, gateway=ports.model_gateway, clock=clock)
        turns = CountingTurns(clock=clock)
        counting = CountPrompt(ports.prompt_counts, turns)
        gate = CallGate(max_streams=rules.max_streams, rates=ports.rates_per_minute, clock=clock)
        return cls(
            commits=commits,
            charge=charge,
            prices=prices,
            gate=gate,
            relay=RelayCall(
                charge=charge,
                journal=ports.journal,
                metrics=ports.metrics,
                keyring=keys.keyring,
                prices=prices,
                upstream=ports.upstream,
                tariff=rules.tariff,
                pepper=rules.pepper,
                clock=clock,
                ids=ports.ids,
                patience=Patience(longest=rules.longest_stream),
                gate=gate,
                counting=counting,
                traces=ports.traces,
            ),
            direct=DirectCalls(
                charge=charge,
                transactions=store,
                prices=prices,
                tariff=rules.tariff,
                pepper=rules.pepper,
                read_usage=ports.read_usage,
                gate=gate,
                metrics=ports.metrics,
                traces=ports.traces,
            ),
            repeats=RepeatCall(
                transactions=store,
                clock=clock,
                vault=ports.vault,
                pepper=rules.pepper,
                keeps_answers=rules.keeps_answers,
            ),
            quotes=QuoteCall(
                transactions=store,
                prices=prices,
                tariff=rules.tariff,
                clock=clock,
                counting=counting,
            ),
            counts=CountRequest(counts=ports.request_counts, turns=turns),
            recovery=RecoverSettlements(
                journals=ports.abandoned_journals, charge=charge, transactions=store
            ),
            expiry=ExpireHolds(transactions=store, clock=clock, charge=charge, log=ports.spend_log),
            receipts=WriteReceipt(transactions=store),
            refusals=KeepRefusals(transactions=store, clock=clock, pepper=rules.pepper),
        )
