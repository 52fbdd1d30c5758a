"""The model server's copy of a key: what it should be, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from creditcore.domain.lease import Lease, RetryPolicy

MAX_ERROR_LENGTH = 300


class SyncStatus(StrEnum):
    """Whether the model server has a key as it is here."""

    PENDING = "pending"
    """Not yet: the key is new, or was changed."""

    SYNCED = "synced"
    """It was read back as it should be."""

    FAILED = "failed"
    """The last attempt failed; it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMirror:
    """How far the model server's copy of one key is.

    Attributes:
        key_id: The virtual key.
        revision: Counts the changes of the key. What was synced at an older one is stale.
        litellm_key_id: The name of the copy: the SHA-256 of its secret, in hex.
        last_error: Why the last attempt failed, in a few words; empty where it did not.
        lease: Who may try, and when again.
    """

    key_id: str
    revision: int
    lease: Lease
    status: SyncStatus = SyncStatus.PENDING
    litellm_key_id: str | None = None
    last_synced_at: datetime | None = None
    last_error: str = ""

    def synced(self, litellm_key_id: str, *, at: datetime) -> KeyMirror:
        """Return the mirror of a copy that was read back as it should be."""
        return replace(
            self,
            status=SyncStatus.SYNCED,
            litellm_key_id=litellm_key_id,
            last_synced_at=at,
            last_error="",
            lease=Lease(),
        )

    def failed(self, reason: str, policy: RetryPolicy, *, at: datetime, jitter: float) -> KeyMirror:
        """Return the mirror of a copy that could not be made, to be tried again."""
        return replace(
            self,
            status=SyncStatus.FAILED,
            last_error=reason[:MAX_ERROR_LENGTH],
            lease=self.lease.wait(
                until=at + policy.backoff.wait_after(self.lease.attempts, jitter=jitter)
            ),
        )
