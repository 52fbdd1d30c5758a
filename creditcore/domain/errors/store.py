"""The database."""

from __future__ import annotations

from creditcore.domain.errors.root import CreditcoreError


class RefusedByStoreError(CreditcoreError):
    """The store refuses this very data, and would refuse it again.

    A constraint caught a mistake, or text cannot be stored as it is. It is no
    ``StoreError``: trying again, or blaming the database, would not help.
    """


class StoreError(CreditcoreError):
    """The store could not do its work."""


class StoreBusyError(StoreError):
    """A race for rows was lost and everything was undone; the same step may run again."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached, or fell silent; a commit may or may not have happened."""


class OutcomeUnknownError(StoreUnavailableError):
    """The database fell silent over a commit: it may have happened, or may yet."""


class OverloadedError(StoreError):
    """More work is waiting than may be kept in memory."""
