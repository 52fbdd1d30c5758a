"""Wallets and keys as a committer left them, so that they need not be read again."""

from __future__ import annotations

from creditcore.domain.books import Books, Footprint, counters_read
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyCounter

MOST_REMEMBERED = 10_000
"""Wallets, and keys. When there are more, all are forgotten and learnt anew."""

TIMES_AFTER_A_MISTAKE = 8
"""How often a wallet has to be found as it was left before it counts again."""


class Remembered:
    """What this process last saw of wallets and keys. It may be wrong at any time.

    So a step that decides on it proves it in the statement that writes, under lock; a wrong
    guess costs one attempt. A wallet that other processes write to would cost one again and
    again, so after a mistake it has to be found as it was left several times in a row.
    """

    def __init__(self) -> None:
        self._keys: dict[bytes, ApiKey] = {}
        self._counters: dict[str, KeyCounter] = {}
        # With how many times more it has to be found as it was left.
        self._wallets: dict[str, tuple[Wallet | None, int]] = {}

    def recall(self, footprint: Footprint) -> Books | None:
        """Return these keys and wallets with the keys' own, or None if any has to be read."""
        keys = {key_hash: self._keys.get(key_hash) for key_hash in footprint.key_hashes}
        books = Books(keys={name: key for name, key in keys.items() if key is not None})
        if len(books.keys) < len(keys):
            return None
        for wallet_id in {*footprint.wallet_ids, *(key.wallet_id for key in books.keys.values())}:
            wallet, times = self._wallets.get(wallet_id, (None, 0))
            if wallet is None or times > 0:
                return None
            books.wallets[wallet_id] = wallet
        for counter_id in counters_read(footprint, books.keys.values(), ()):
            counter = self._counters.get(counter_id)
            if counter is None:
                return None
            books.counters[counter_id] = counter
        return books if books.wallets else None

    def found(self, books: Books) -> None:
        """Note what has been read."""
        if max(len(self._wallets), len(self._keys)) > MOST_REMEMBERED:
            self._wallets.clear()
            self._keys.clear()
            self._counters.clear()
        self._keys.update(books.keys)
        self._counters.update(books.counters)
        for wallet in books.wallets.values():
            left, times = self._wallets.get(wallet.id, (wallet, 0))
            times = max(times - 1, 0) if wallet == left else TIMES_AFTER_A_MISTAKE
            self._wallets[wallet.id] = (wallet, times)

    def left(self, books: Books) -> None:
        """Note what has been committed."""
        for name, (_, counter) in books.changed_counters.items():
            self._counters[name] = counter
        for wallet in books.changed_wallets.values():
            _, times = self._wallets[wallet.id]
            self._wallets[wallet.id] = (wallet, times)

    def forget(self, books: Books) -> None:
        """Forget what was wrong, or may be."""
        for key_hash in books.keys:
            self._keys.pop(key_hash, None)
        for counter_id in books.counters:
            self._counters.pop(counter_id, None)
        for wallet_id in books.wallets:
            self._wallets[wallet_id] = (None, 0)
