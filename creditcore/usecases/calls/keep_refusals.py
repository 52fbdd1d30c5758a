"""Keep refused calls for those whose key was used, off the caller's path and bounded."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.errors import CreditcoreError
from creditcore.domain.keys import KeySecret
from creditcore.domain.refusals import RefusedCall
from creditcore.domain.usage_hours import hour_of
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import Commits, HasCalls, HasKeys, HasRefusals, HasUsageHours
from creditcore.ports.transactions import Begins
from creditcore.ports.usage_hours import RefusalCount

KEPT_PER_HOUR = 100
"""Refused calls of one wallet that are kept one by one, the latest; the others are only counted."""

KEPT_FOR = timedelta(days=30)
WAITING_AT_MOST = 2_000
_WRITTEN_AT_ONCE = 200
_FORGOTTEN_AT_ONCE = 5_000
_MAX_MESSAGE_LENGTH = 500
_MAX_NAME_LENGTH = 200

_log = logging.getLogger(__name__)


class KeepRefusalsTransaction(HasCalls, HasKeys, HasRefusals, HasUsageHours, Commits, Protocol):
    """What noting refused calls reads and writes."""


@dataclass(frozen=True, slots=True)
class _Noted:
    """A refusal, of whom is not known yet."""

    key_hash: bytes
    reference: str
    model: str
    endpoint: str
    status: int
    code: str
    message: str
    at: datetime


class KeepRefusals:
    """Notes refused calls at once, and writes them a moment later in transactions of its own.

    An unknown key leaves no trace, so garbage fills nothing. What cannot be written
    is forgotten: it moved no credits.
    """

    def __init__(
        self, *, transactions: Begins[KeepRefusalsTransaction], clock: Clock, pepper: bytes
    ) -> None:
        """Keep what every refusal needs.

        Args:
            transactions: Where they are written.
            clock: Says when.
            pepper: The server's secret under which keys are hashed.
        """
        self._transactions = transactions
        self._clock = clock
        self._pepper = pepper
        # The oldest give way: a flood is counted as far as it is remembered.
        self._waiting: deque[_Noted] = deque(maxlen=WAITING_AT_MOST)
        self._guard = threading.Lock()
        self._writer: threading.Thread | None = None

    def note(
        self,
        secret: KeySecret,
        *,
        reference: str,
        model: str,
        endpoint: str,
        status: int,
        code: str,
        message: str,
    ) -> None:
        """Note a refused call; costs no database access here."""
        noted = _Noted(
            secret.hash(self._pepper),
            reference,
            model[:_MAX_NAME_LENGTH].replace("\x00", ""),
            endpoint[:_MAX_NAME_LENGTH].replace("\x00", ""),
            status,
            code,
            message[:_MAX_MESSAGE_LENGTH].replace("\x00", ""),
            self._clock.now(),
        )
        with self._guard:
            self._waiting.append(noted)
            if self._writer is None:
                self._writer = threading.Thread(
                    target=self._write_all, name="refusals", daemon=True
                )
                self._writer.start()

    def wait(self) -> None:
        """Return when everything that was noted is written or given up."""
        while (writer := self._writer) is not None:
            writer.join()

    def tidy(self) -> int:
        """Forget refused calls that are a month old; return how many."""
        with self._transactions.begin() as tx:
            count = tx.refusals.forget(
                before=self._clock.now() - KEPT_FOR, limit=_FORGOTTEN_AT_ONCE
            )
            tx.commit()
        return count

    def _write_all(self) -> None:
        while True:
            with self._guard:
                some = [self._waiting.popleft() for _ in range(len(self._waiting))]
                if not some:
                    self._writer = None
                    return
            for start in range(0, len(some), _WRITTEN_AT_ONCE):
                try:
                    self._write(some[start : start + _WRITTEN_AT_ONCE])
                except CreditcoreError as error:
                    _log.warning("refused calls could not be kept: %s", error)

    def _write(self, noted: list[_Noted]) -> None:
        with self._transactions.begin() as tx:
            keys = {
                key_hash: tx.keys.find_by_hash(key_hash)
                for key_hash in {each.key_hash for each in noted}
            }
            begun = tx.calls.find_all([each.reference for each in noted])
            refused = [
                RefusedCall(
                    reference=each.reference,
                    wallet_id=key.wallet_id,
                    key_id=key.id,
                    model=each.model,
                    endpoint=each.endpoint,
                    status=each.status,
                    code=each.code,
                    message=each.message,
                    at=each.at,
                )
                for each in noted
                # One that has a hold did begin, and is among the calls.
                if (key := keys[each.key_hash]) is not None and each.reference not in begun
            ]
            if not refused:
                return
            _keep(tx, refused)
            tx.usage_hours.add_refusals([_count(call) for call in refused])
            tx.commit()


def _keep(tx: KeepRefusalsTransaction, refused: list[RefusedCall]) -> None:
    by_hour: dict[tuple[str, datetime], list[RefusedCall]] = {}
    for call in refused:
        by_hour.setdefault((call.wallet_id, hour_of(call.at)), []).append(call)
    for (wallet_id, hour), calls in by_hour.items():
        for call in calls[-KEPT_PER_HOUR:]:
            tx.refusals.add(call)
        # Who asks about a refusal asks about a late one: a loop of an earlier one must not hide it.
        tx.refusals.keep_latest(wallet_id, hour, most=KEPT_PER_HOUR)


def _count(call: RefusedCall) -> RefusalCount:
    return RefusalCount(
        call.wallet_id, hour_of(call.at), call.key_id, call.model, call.status, call.code
    )
