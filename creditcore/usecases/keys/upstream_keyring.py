"""Which of the model server's keys a call goes out with."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from creditcore.domain.mirrors import SyncStatus
from creditcore.ports.clock import SteadyClock
from creditcore.ports.store_ports import Commits, HasMirrors
from creditcore.ports.transactions import Begins
from creditcore.ports.upstream_keys import UpstreamKeys

MAX_KNOWN = 50_000
FORGOTTEN_AFTER = timedelta(minutes=30)


_log = logging.getLogger(__name__)


class UpstreamKeyringTransaction(HasMirrors, Commits, Protocol):
    """What remembering a key of LiteLLM reads and writes."""


@dataclass(kw_only=True)
class UpstreamKeyring:
    """The secrets of copies that are in line, for the keys that call through this process.

    Nothing of it is on the path of a call but one lookup in memory: which copies are in line is
    read now and then, for the keys that called lately. Until then, and whenever in doubt, a
    call goes out with the master key, so no caller waits for a copy.

    Attributes:
        wanted: Whether calls are to go out with copies at all.
    """

    transactions: Begins[UpstreamKeyringTransaction]
    clock: SteadyClock
    upstream: UpstreamKeys
    wanted: bool = True
    _secrets: dict[str, str | None] = field(default_factory=dict, init=False)
    _called: dict[str, float] = field(default_factory=dict, init=False)
    _distrusted: set[str] = field(default_factory=set, init=False)

    def secret_for(self, key_id: str | None) -> str | None:
        """Return the secret to call with; None for the master key."""
        if not self.wanted or key_id is None:
            return None
        if key_id in self._called or len(self._called) < MAX_KNOWN:
            self._called[key_id] = self.clock.monotonic()
        return self._secrets.get(key_id)

    def distrust(self, key_id: str) -> None:
        """Call with the master key for now: the model server refused the copy, or its budget."""
        self._secrets.pop(key_id, None)
        self._distrusted.add(key_id)

    def refresh(self) -> int:
        """Read which copies are in line of the keys that called; return how many are.

        Copies that were refused are made due.

        Raises:
            StoreError: Nothing changed.
        """
        if not self.wanted:
            return 0
        oldest = self.clock.monotonic() - FORGOTTEN_AFTER.total_seconds()
        called = [key_id for key_id, at in self._called.items() if at >= oldest]
        refused = self._distrusted
        with self.transactions.begin() as tx:
            if refused:
                _log.warning("the model server refused the copies of %d keys", len(refused))
                tx.mirrors.renew(refused, at=self.clock.now())
            found = tx.mirrors.find(called)
            tx.commit()
        for key_id in self._called.keys() - set(called):
            del self._called[key_id]
        self._distrusted = self._distrusted - refused
        self._secrets = {
            key_id: self.upstream.secret(key_id)
            for key_id, mirror in found.items()
            if mirror.status is SyncStatus.SYNCED and mirror.litellm_key_id
            if key_id not in refused and key_id not in self._distrusted
        }
        return len(self._secrets)
