"""Ask about purchases whose webhook was lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime

from creditcore.domain.errors import PaymentGatewayError
from creditcore.domain.purchases import PurchaseState
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasPurchases
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.confirm_payment import ConfirmPayment

_PAGE_SIZE = 50

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class PollPayments:
    """Confirm pending purchases, the newest in every round and the older ones in turn.

    The place in the turn is kept per process: it only decides who is asked about first.
    """

    transactions: Begins[HasPurchases]
    payments: ConfirmPayment
    clock: Clock
    _asked_down_to: datetime | None = field(default=None, init=False)

    def confirm_pending(self) -> int:
        """Ask about purchases that await their payment; return how many are now decided.

        A payment that cannot be verified now is asked about next time.

        Most that wait for long were given up by their payer, and are never decided. So each
        round asks about the newest, which people wait for, and about one page of the others:
        however many there are, no payment is left out for ever.
        """
        decided = 0
        now = self.clock.now()
        with self.transactions.begin() as tx:
            newest = tx.purchases.pending(created_before=now, limit=_PAGE_SIZE)
            in_turn = tx.purchases.pending(
                created_before=self._asked_down_to or now, limit=_PAGE_SIZE
            )
        is_last = len(in_turn) < _PAGE_SIZE
        self._asked_down_to = None if is_last else in_turn[-1].created_at
        pending = {
            purchase.reference: purchase
            for purchase in (*newest, *in_turn)
            if purchase.is_worth_asking(now)
        }
        for purchase in pending.values():
            try:
                confirmed = self.payments.confirm(purchase.reference)
            except PaymentGatewayError as error:
                _log.warning("purchase %s could not be verified: %s", purchase.reference, error)
            else:
                decided += confirmed.state is not PurchaseState.PENDING
        return decided
