"""How many refused calls are kept, however many there are."""

from __future__ import annotations

from creditcore.testing.contracts import a_key, a_wallet
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.usecases.calls.keep_refusals import KEPT_PER_HOUR, KeepRefusals
from tests.unit.relaying import PEPPER, SECRET

FIRST, LAST = "call-0000", f"call-{KEPT_PER_HOUR:04}"


def test_the_first_of_an_hour_gives_way_to_the_last_whenever_they_are_written() -> None:
    store = MemoryTransactions()
    wallet = a_wallet(store, posted=0)
    with store.begin() as tx:
        tx.keys.add(a_key(wallet, key_hash=SECRET.hash(PEPPER)))
        tx.commit()
    refusals = KeepRefusals(transactions=store, clock=FixedClock(), pepper=PEPPER)

    for number in range(KEPT_PER_HOUR + 1):
        refusals.note(
            SECRET,
            reference=f"call-{number:04}",
            model="demo",
            endpoint="/v1/chat/completions",
            status=402,
            code="insufficient_quota",
            message="No credits.",
        )
        refusals.wait()

    with store.begin() as tx:
        assert tx.refusals.find(LAST, wallet_id=wallet.id) is not None
        assert tx.refusals.find(FIRST, wallet_id=wallet.id) is None
