"""Look which wallets fell below the threshold that their person chose, and tell them once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from creditcore.domain.low_balance import LowBalanceWatch
from creditcore.domain.money import Credits
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import Commits
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.tell_payers import TellPayers, TellPayersTransaction

_PER_ROUND = 100


class WatchBalancesTransaction(TellPayersTransaction, Commits, Protocol):
    """What watching balances reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchBalances:
    """Keep what people want to be told, and tell them.

    It runs beside the calls, never in them: what a call costs must not wait for a mail.
    """

    transactions: Begins[WatchBalancesTransaction]
    notices: TellPayers
    clock: Clock

    def of(self, wallet_id: str) -> LowBalanceWatch | None:
        """Return when a person is told that a wallet runs low; None where no person chose."""
        with self.transactions.begin() as tx:
            return tx.low_balance.find(wallet_id)

    def choose(self, wallet_id: str, person_id: str, threshold: Credits) -> None:
        """Tell a person when a wallet falls below a threshold; never, where it is zero.

        Raises:
            InvalidRequestError: The threshold is too low or too high.
        """
        with self.transactions.begin() as tx:
            known = tx.low_balance.lock(wallet_id)
            if known and (known.person_id, known.threshold) == (person_id, threshold):
                return
            tx.low_balance.save(
                LowBalanceWatch(
                    wallet_id=wallet_id,
                    person_id=person_id,
                    threshold=threshold,
                    crossings=known.crossings if known else 0,
                )
            )
            tx.commit()

    def look(self) -> int:
        """Look at wallets that crossed a threshold; return how many people were told.

        Any number of workers may do this at once: each crossing is told of once.
        """
        with self.transactions.begin() as tx:
            crossed = tx.low_balance.crossed(limit=_PER_ROUND)
        return sum(self._look_at(wallet_id) for wallet_id in crossed)

    def _look_at(self, wallet_id: str) -> bool:
        with self.transactions.begin() as tx:
            watch = tx.low_balance.lock(wallet_id)
            if watch is None:
                return False
            wallet = tx.ledger.find_wallet(wallet_id)
            seen = watch.look(wallet.available, at=self.clock.now())
            if seen is watch:
                return False
            tx.low_balance.save(seen)
            is_low = seen.below_since is not None
            if is_low:
                self.notices.running_low(tx, seen, wallet)
            tx.commit()
        return is_low
