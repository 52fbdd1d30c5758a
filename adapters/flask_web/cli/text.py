"""Amounts and counts as a command prints them."""

from __future__ import annotations

from creditcore.domain.money import Credits


def credits_text(amount: Credits) -> str:
    """Return an amount with its unit."""
    return f"{amount} credit" if amount == Credits.of(1) else f"{amount} credits"


def counted(count: int, what: str) -> str:
    """Return a number of things, the plural given, in the singular where it is one."""
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"
