"""Answer a repeated call as the first one was answered, without making it again.

The first call with a token claims it for its own id. What decides is the hold: it is made
under that id once, in one transaction, on whichever host (``RelayCall``). So of any number
of repeats one goes upstream at most, and one is charged.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.endings import was_not_made
from creditcore.domain.errors import (
    AnswerNotKeptError,
    CallRunningError,
    HoldNotFoundError,
    SealBrokenError,
    StoreError,
    TokenReusedError,
)
from creditcore.domain.keys import ApiKey
from creditcore.ports.clock import Clock
from creditcore.ports.repeats import RepeatableCall
from creditcore.ports.store_ports import Commits, HasCalls, HasRepeats
from creditcore.ports.transactions import Begins
from creditcore.ports.vault import Vault

KEPT_FOR = timedelta(hours=24)
"""How long a token stands for its call, and its answer is kept."""

MAX_KEPT_BYTES = 256 * 1024
"""A longer answer is not kept: its receipt is."""

_BATCH = 500

_log = logging.getLogger(__name__)


class RepeatCallTransaction(HasCalls, HasRepeats, Commits, Protocol):
    """What answering a call a second time reads and writes."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a call answered the first time.

    Attributes:
        call_id: The call.
        status: Of its answer.
        body: Its answer.
    """

    call_id: str
    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatCall:
    """Tell first calls from repeats.

    Attributes:
        pepper: The server's secret, under which tokens and bodies are hashed.
        keeps_answers: Whether plain answers are kept, sealed.
    """

    transactions: Begins[RepeatCallTransaction]
    clock: Clock
    vault: Vault
    pepper: bytes
    keeps_answers: bool = True

    def claim(
        self, key: ApiKey, token: str, *, endpoint: str, body: bytes, call_id: str
    ) -> str | KeptAnswer:
        """Return the id of the call that a token stands for, or what that call answered.

        A call that was refused because the ledger fell silent was not made. Its id is used up, so
        the token stands for a new call from its repeat on.

        Args:
            key: Who calls: a token means nothing to the keys of others.
            token: The caller's own name of the request.
            endpoint: The route.
            body: The request.
            call_id: The id of the call, if it is the first.

        Raises:
            TokenReusedError: The token stands for another request.
        """
        now = self.clock.now()
        wanted = RepeatableCall(
            id=self._digest(key.counter_id, token).hex(),
            call_id=call_id,
            fingerprint=self._digest(endpoint, hashlib.sha256(body).hexdigest()),
            created_at=now,
        )
        with self.transactions.begin() as tx:
            claimed = tx.repeats.claim(wanted, forget_before=now - KEPT_FOR)
            is_same = hmac.compare_digest(claimed.fingerprint, wanted.fingerprint)
            if is_same and claimed.call_id != call_id and _is_used_up(tx, claimed, key.wallet_id):
                claimed = tx.repeats.reassign(claimed, call_id=call_id)
            tx.commit()
        if not is_same:
            raise TokenReusedError
        return self._kept(claimed) or claimed.call_id

    def keep(self, call_id: str, *, status: int, body: bytes) -> None:
        """Keep what a call answered, if answers are kept and it is not too long.

        The call is over and charged: where the store is away, its answer leaves all the same.
        """
        if not self.keeps_answers or len(body) > MAX_KEPT_BYTES:
            return
        sealed = self.vault.seal(body, context=_context(call_id))
        try:
            with self.transactions.begin() as tx:
                tx.repeats.keep(call_id, status=status, answer=sealed)
                tx.commit()
        except StoreError:
            _log.warning("the answer of call %s is not kept", call_id, exc_info=True)

    def keep_failure(self, call_id: str, *, wallet_id: str, status: int, body: bytes) -> None:
        """Keep that a call failed upstream, if it came so far: else it may run again."""
        try:
            with self.transactions.begin() as tx:
                tx.calls.find(call_id, wallet_id=wallet_id)
        except (HoldNotFoundError, StoreError):
            return
        self.keep(call_id, status=status, body=body)

    def answer(self, call_id: str, *, wallet_id: str) -> KeptAnswer:
        """Return what an earlier call with the same token answered.

        Raises:
            CallRunningError: It has not ended yet, or the next repeat makes it.
            AnswerNotKeptError: It was a stream, too long, or its process died; its receipt
                says what became of it.
        """
        with self.transactions.begin() as tx:
            claimed = tx.repeats.find_by_call(call_id)
            try:
                hold = tx.calls.find(call_id, wallet_id=wallet_id)
                is_open = hold.is_open or was_not_made(hold)
            except HoldNotFoundError:
                is_open = True
        if claimed is not None and (kept := self._kept(claimed)):
            return kept
        if is_open:
            raise CallRunningError(call_id)
        raise AnswerNotKeptError(call_id)

    def forget_old(self) -> int:
        """Delete the tokens of more than a day ago, with their answers; return how many."""
        before, forgotten = self.clock.now() - KEPT_FOR, 0
        while True:
            with self.transactions.begin() as tx:
                some = tx.repeats.forget(before=before, limit=_BATCH)
                tx.commit()
            forgotten += some
            if some < _BATCH:
                return forgotten

    def _kept(self, call: RepeatableCall) -> KeptAnswer | None:
        if call.status is None or call.answer is None:
            return None
        try:
            body = self.vault.open(call.answer, context=_context(call.call_id))
        except SealBrokenError:
            # Sealed with an earlier secret of the server.
            return None
        return KeptAnswer(call.call_id, call.status, body)

    def _digest(self, *parts: str) -> bytes:
        return hmac.digest(self.pepper, "\0".join(parts).encode(), "sha256")


def _is_used_up(tx: RepeatCallTransaction, call: RepeatableCall, wallet_id: str) -> bool:
    try:
        return was_not_made(tx.calls.find(call.call_id, wallet_id=wallet_id))
    except HoldNotFoundError:
        return False


def _context(call_id: str) -> str:
    return f"answer:{call_id}"
