"""Pause keys that spend more within an hour than their owner wants, and say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act
from creditcore.domain.errors import ApiKeyNotFoundError
from creditcore.domain.keys import ApiKey
from creditcore.domain.money import ZERO, Credits, div_floor
from creditcore.domain.runaway import PAUSED_BY_STOP, RunawayStop, Trial, try_stop
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasCalls, HasKeys
from creditcore.ports.transactions import Begins, MailTransaction, PeopleTransaction
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.keys.issue_key import held
from creditcore.usecases.keys.key_activity import key_activity
from creditcore.usecases.keys.tell_webhook import TellWebhook

TRIED_ON = timedelta(days=30)
_BATCH = 500
_MICROCREDITS_PER_CENT = 1_000_000


class StopRunawaysTransaction(PeopleTransaction, HasCalls, HasKeys, MailTransaction, Protocol):
    """What stopping a key reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRunaways:
    """Look at keys with a stop; pause those that have reached it.

    Attributes:
        mails: Tells the owner; sends nothing where no mail server is configured.
        webhooks: Tells the address that the stop names.
    """

    transactions: Begins[StopRunawaysTransaction]
    clock: Clock
    mails: SendMail
    webhooks: TellWebhook

    def look(self) -> int:
        """Pause every key that has reached its stop; return how many.

        Any number of workers may look at once: a key is paused once, under its lock.
        """
        stopped, last = 0, ""
        while True:
            with self.transactions.begin() as tx:
                keys = tx.keys.with_stops(after=last, limit=_BATCH)
            stopped += sum(map(self._stop, keys))
            if len(keys) < _BATCH:
                return stopped
            last = keys[-1].id

    def try_on_the_past(
        self,
        key_id: str,
        per_hour: Credits | None = None,
        *,
        owner_id: str,
        holder_id: str = "",
    ) -> Trial:
        """Return what a stop would have done in the last 30 days; nothing is changed.

        Args:
            key_id: Which key.
            per_hour: When it would have paused the key; as the key has it, if None.
            owner_id: Whose key it is.
            holder_id: The one member of a team whose keys are meant; empty for any.

        Raises:
            ApiKeyNotFoundError: The owner has no such key.
            InvalidRequestError: The stop is at nothing.
        """
        now = self.clock.now()
        if per_hour is not None:
            RunawayStop(per_hour, now)
        with self.transactions.begin() as tx:
            key = held(tx.keys.find(key_id, owner_id=owner_id), holder_id)
            spend = tx.calls.spend_by_minute(
                key.wallet_id, key.counter_id, since=now - TRIED_ON, until=now
            )
        if per_hour is None and key.stop is not None:
            per_hour = key.stop.per_hour
        return try_stop(spend, per_hour)

    def _stop(self, found: ApiKey) -> bool:
        now = self.clock.now()
        with self.transactions.begin() as tx:
            try:
                key = tx.keys.lock(found.id, owner_id=found.owner_id)
            except ApiKeyNotFoundError:
                return False
            if key.stop is None or key.paused_at is not None or key.revoked_at is not None:
                return False
            spend = tx.calls.spend_by_minute(
                key.wallet_id, key.counter_id, since=key.stop.window(now), until=now
            )
            if sum((each.charged for each in spend), ZERO) < key.stop.per_hour:
                return False
            paused = key.changed(paused_at=now, paused_by=PAUSED_BY_STOP)
            tx.keys.save(paused)
            tx.activity.add(key_activity(Act.KEY_STOPPED, paused, actor=SYSTEM, at=now))
            self.webhooks.enqueue_stop(tx, paused, key.stop)
            self._tell(tx, paused, key.stop)
            tx.commit()
        return True

    def _tell(self, tx: StopRunawaysTransaction, key: ApiKey, stop: RunawayStop) -> None:
        owner = tx.people.find(key.holder_id or key.owner_id)
        if owner is None or owner.is_gone:
            return
        self.mails.enqueue(
            tx,
            "key_stopped",
            to=owner.email,
            event=f"{key.id}:{key.revision}",
            values={
                "account": key.owner_id,
                "name": key.name,
                "shown": f"{key.prefix}...{key.last_four}",
                "per_hour": _dollars(stop.per_hour),
                "key_id": key.id,
            },
        )


def _dollars(amount: Credits) -> str:
    whole, cents = divmod(div_floor(amount.microcredits, _MICROCREDITS_PER_CENT), 100)
    return f"${whole:,}.{cents:02d}"
