"""Addresses of throw-away mailboxes, which any visitor reads and none keeps."""

from __future__ import annotations

from functools import cache


def is_disposable(email: str) -> bool:
    """Whether an address, in the stored form, is at such a domain or below one."""
    labels = email.rpartition("@")[2].split(".")
    return any(".".join(labels[place:]) in _domains() for place in range(len(labels) - 1))


@cache
def _domains() -> frozenset[str]:
    # The list is large, and only needed once a person signs up.
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
