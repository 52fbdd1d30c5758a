"""Clear what a wallet owes, so that it may spend again."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.refunds import forgive
from creditcore.ports.clock import Clock
from creditcore.ports.ids import Ids
from creditcore.ports.transactions import Begins, GrantTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearDebt:
    """Write a debt off at the operator's expense; the reason is kept with the transfer."""

    transactions: Begins[GrantTransaction]
    clock: Clock
    ids: Ids

    def clear(self, wallet_id: str, *, reason: str, actor: Actor = SYSTEM) -> Credits:
        """Write off all that a wallet owes; return how much that was. A repeat clears nothing.

        Raises:
            InvalidRequestError: No reason is given.
            WalletNotFoundError: No wallet has this id.
        """
        if not reason.strip():
            raise InvalidRequestError("Clearing a debt has a reason.", param="reason")
        now = self.clock.now()
        with self.transactions.begin() as tx:
            books = tx.ledger.lock(Footprint(wallet_ids={wallet_id}))
            reference = f"forgiveness:{self.ids.new_reference('cd')}"
            cleared = forgive(
                books.wallet(wallet_id), reference=reference, at=now, note=reason.strip()
            )
            if cleared is None:
                return ZERO
            books.post([cleared])
            tx.ledger.write(books)
            tx.activity.add(
                Activity(
                    actor=actor,
                    act=Act.DEBT_CLEARED,
                    target=f"wallet:{wallet_id}",
                    person_id=books.wallet(wallet_id).owner_id,
                    after={"credits": str(cleared.amount), "reason": reason.strip()},
                    at=now,
                )
            )
            tx.commit()
        return cleared.amount
