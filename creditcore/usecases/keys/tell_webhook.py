"""Tell a program of a key's owner that the key was paused.

As https://www.standardwebhooks.com/ has it. The secret is derived of the server's and the
key's id: it is stored nowhere, and stays the same when the key is rotated.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from creditcore.domain.jobs import Job
from creditcore.domain.keys import ApiKey
from creditcore.domain.runaway import RunawayStop
from creditcore.ports.clock import Clock
from creditcore.ports.key_webhooks import KeyWebhooks
from creditcore.ports.store_ports import HasJobs

TELL_WEBHOOK = "tell_webhook"
"""The kind of the jobs."""

STOPPED = "key.stopped"
"""The type of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellWebhook:
    """Enqueue events with their cause, and deliver them in jobs.

    Attributes:
        pepper: The server's secret, of which those of the keys are derived.
    """

    clock: Clock
    webhooks: KeyWebhooks
    pepper: bytes

    def check(self, url: str) -> None:
        """See whether an address can be told; an empty one is none.

        Raises:
            InvalidRequestError: It is no web address, or none that may be used here.
        """
        if url:
            self.webhooks.check(url)

    def secret_of(self, key: ApiKey) -> str:
        """Return what the receiver checks signatures with."""
        return self._secret(key.counter_id)

    def enqueue_stop(self, tx: HasJobs, key: ApiKey, stop: RunawayStop) -> None:
        """Tell of a stop once this transaction has committed, where an address is to be told."""
        if not stop.webhook:
            return
        now = self.clock.now()
        event = {
            "type": STOPPED,
            "timestamp": now.isoformat(),
            "data": {
                "id": key.id,
                "name": key.name,
                "prefix": key.prefix,
                "last_four": key.last_four,
                "stop_at_credits_per_hour": str(stop.per_hour),
            },
        }
        payload = {"url": stop.webhook, "counter_id": key.counter_id, "event": event}
        tx.jobs.enqueue(TELL_WEBHOOK, f"stop-{key.id}-{key.revision}", payload, run_at=now)

    def deliver(self, job: Job) -> None:
        """Deliver the event of a job.

        Raises:
            WebhookUndeliveredError: It was not taken; to be tried again.
        """
        event = job.payload["event"]
        assert isinstance(event, dict)  # noqa: S101 - as enqueue_stop wrote it
        secret = self._secret(str(job.payload["counter_id"]))
        self.webhooks.send(str(job.payload["url"]), secret, job.business_key, event)

    def _secret(self, counter_id: str) -> str:
        digest = hmac.digest(self.pepper, f"webhook:{counter_id}".encode(), "sha256")
        return f"whsec_{base64.b64encode(digest).decode()}"
