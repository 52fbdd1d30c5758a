"""What keys were used for in this month, from the roll-up: nothing is written when one is used."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.flask_web.context import services
from adapters.flask_web.web.account import account
from adapters.flask_web.web.zone import zone
from creditcore.domain.periods import this_month
from creditcore.domain.usage_hours import Tally
from creditcore.ports.usage_hours import UsageOf


def used_this_month(key_id: str | None = None) -> Mapping[str, Tally]:
    """Return what the keys of the chosen account, or one of them, used in the reader's month."""
    wallet = account().wallet
    if wallet is None:
        return {}
    month = this_month(services().clock.now(), zone())
    with services().transactions.begin() as tx:
        shares = tx.usage_hours.shares(UsageOf(wallet.id, key_id), [month.span], by_model=False)
    return {share.key_id: share.tally for share in shares}
