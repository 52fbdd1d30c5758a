"""Give a wallet credits that were not paid for."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.activity import SYSTEM, Act, Activity, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind, grant
from creditcore.domain.money import ZERO, Credits
from creditcore.ports.clock import Clock
from creditcore.ports.transactions import Begins, GrantTransaction

# 100 million US dollars. A number with digits too many, which cannot be taken back, would carry the
# sum of all balances past 64 bits.
MAX_GRANT = Credits.of(10**10)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCredits:
    """An operator's gift or correction, with its reason kept for ever."""

    transactions: Begins[GrantTransaction]
    clock: Clock

    def grant(
        self,
        wallet_id: str,
        amount: Credits,
        *,
        reason: str,
        reference: str,
        actor: Actor = SYSTEM,
    ) -> Transfer:
        """Give credits once; a repeat of the reference changes nothing and returns the first.

        Raises:
            InvalidRequestError: The amount is not above zero, or above ``MAX_GRANT``, or no reason
                is given.
            ReferenceConflictError: The reference stands for another movement.
            WalletNotFoundError: No wallet has this id.
        """
        if amount <= ZERO:
            raise InvalidRequestError("A grant is above zero.", param="credits")
        if amount > MAX_GRANT:
            raise InvalidRequestError(
                f"A grant is {MAX_GRANT.microcredits // 10**6:,} credits at most.", param="credits"
            )
        if not reason.strip():
            raise InvalidRequestError("A grant has a reason.", param="reason")
        transfer = grant(
            wallet_id,
            amount,
            source=PlatformAccount.ADJUSTMENT,
            kind=TransferKind.GRANT,
            reference=f"grant:{reference}",
            at=self.clock.now(),
            note=reason.strip(),
        )
        with self.transactions.begin() as tx:
            books = tx.ledger.lock(
                Footprint(wallet_ids={wallet_id}, transfer_references={transfer.reference})
            )
            books.post((transfer,))
            tx.ledger.write(books)
            if transfer in books.new_transfers:
                tx.activity.add(
                    Activity(
                        actor=actor,
                        act=Act.CREDITS_GRANTED,
                        target=f"wallet:{wallet_id}",
                        person_id=tx.ledger.find_wallet(wallet_id).owner_id,
                        after={
                            "credits": str(amount),
                            "reason": transfer.note,
                            "reference": transfer.reference,
                        },
                        at=transfer.at,
                    )
                )
            tx.commit()
        return books.transfers[transfer.reference]
