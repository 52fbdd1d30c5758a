"""What belongs to an account, a person's or a team's, as operators see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.flask_web.context import services
from creditcore.domain.activity import Activity
from creditcore.domain.errors import TeamNotFoundError, WalletNotFoundError
from creditcore.domain.holds import Hold
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Transfer, Wallet
from creditcore.domain.periods import Span
from creditcore.domain.purchases import Purchase
from creditcore.domain.refusals import RefusedCall
from creditcore.domain.usage_hours import HOUR, NOTHING_USED, Tally, hour_of
from creditcore.ports.transactions import Transaction
from creditcore.ports.usage_hours import UsageOf

_RECENT = 20
_USED_IN = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Keys, payments, acts, and what the wallet knows: nothing where there is none yet.

    Attributes:
        acts: What was done to the account, the latest first.
        used: In the last 30 days.
    """

    keys: Sequence[ApiKey]
    purchases: Sequence[Purchase]
    acts: Sequence[Activity]
    balance: Wallet | None = None
    calls: Sequence[Hold] = ()
    movements: Sequence[Transfer] = ()
    refusals: Sequence[RefusedCall] = ()
    used: Tally = NOTHING_USED

    @property
    def shown(self) -> Mapping[str, object]:
        """The values that ``admin/_standing.html`` and ``admin/_account.html`` take."""
        names = {key.id: key.name for key in self.keys}
        fields = (
            "keys", "purchases", "acts", "balance", "calls", "movements", "refusals", "used"
        )  # fmt: skip
        return {name: getattr(self, name) for name in fields} | {"key_names": names}


def belongings_of(tx: Transaction, owner_id: str) -> Belongings:
    """Read what belongs to a person or a team."""
    keys = tx.keys.list_of(owner_id)
    purchases = tx.purchases.list_of(owner_id, limit=_RECENT)
    acts = tx.activity.recent(limit=_RECENT, person_id=owner_id)
    try:
        wallet = tx.ledger.find_wallet_of(owner_id)
    except WalletNotFoundError:
        # They never came back from confirming their address.
        return Belongings(keys=keys, purchases=purchases, acts=acts)
    end = hour_of(services().clock.now()) + HOUR
    shares = tx.usage_hours.shares(UsageOf(wallet.id), [Span(end - _USED_IN, end)])
    return Belongings(
        keys=keys,
        purchases=purchases,
        acts=acts,
        balance=wallet,
        calls=tx.calls.recent(wallet.id, limit=_RECENT),
        movements=tx.ledger.transfers_of(wallet.id, limit=_RECENT),
        refusals=tx.refusals.older(wallet.id, limit=_RECENT),
        used=sum((share.tally for share in shares), NOTHING_USED),
    )


def name_of(tx: Transaction, account_id: str) -> str:
    """Return a person's address, a team's name, or the id of what is neither."""
    if (person := tx.people.find(account_id)) is not None:
        return person.email
    try:
        return tx.teams.find(account_id).name
    except TeamNotFoundError:
        return account_id
