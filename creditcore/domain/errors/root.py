"""The root of the tree."""

from __future__ import annotations


class CreditcoreError(Exception):
    """The root: catch this to catch everything the core raises on purpose.

    Attributes:
        model: The model that was asked for, where the error ended a call.
    """

    model: str = ""
