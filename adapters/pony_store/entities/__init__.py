"""The tables as Pony knows them, and no logic: a module for each subject.

Constraints, foreign keys and indexes are made by the migrations, and are not repeated
here. Amounts are microcredits and instants microseconds since 1970 in UTC, all 64 bits.
Pony strips text unless told otherwise. It refuses empty text where it is ``Required``,
so text that may be empty is ``Optional``; it is never NULL unless it says ``nullable``.
"""

from __future__ import annotations

from typing import Any

from . import calls, cards, keys, ledger, operations, payments, people, prices, teams, usage

_SUBJECTS = (people, teams, ledger, calls, usage, keys, payments, cards, prices, operations)


def define_entities(db: Any) -> None:
    """Define every table on a Pony database."""
    for subject in _SUBJECTS:
        subject.define(db)
