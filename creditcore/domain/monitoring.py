"""What a check found, and when that is worth an alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

RAISE_AFTER = 3
"""So many findings in a row must be bad: one lost packet wakes no operator."""

RESOLVE_AFTER = 5
"""So many in a row must be good: what comes and goes is one trouble, not many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check has found now.

    Attributes:
        detail: One sentence for operators: what is wrong, or what was measured.
        value: What was measured, where it is a number; the detail says its unit.
    """

    is_healthy: bool
    detail: str = ""
    value: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A finding as it is kept.

    Attributes:
        check: The name of the check.
        number: Counts all readings; given by the store.
    """

    check: str
    finding: Finding
    at: datetime
    number: int = 0


class Verdict(Enum):
    """What the latest readings of a check ask for."""

    NOTHING = auto()
    RAISE = auto()
    RESOLVE = auto()


def judge(readings: Sequence[Reading], *, is_raised: bool) -> Verdict:
    """Decide whether an alert is raised or resolved.

    A check that flaps does neither: it is never bad, nor good, often enough in a row.

    Args:
        readings: The latest ones, newest first.
        is_raised: Whether there is an alert that is not resolved.
    """
    if is_raised:
        latest = readings[:RESOLVE_AFTER]
        is_over = len(latest) == RESOLVE_AFTER and all(each.finding.is_healthy for each in latest)
        return Verdict.RESOLVE if is_over else Verdict.NOTHING
    latest = readings[:RAISE_AFTER]
    is_bad = len(latest) == RAISE_AFTER and not any(each.finding.is_healthy for each in latest)
    return Verdict.RAISE if is_bad else Verdict.NOTHING
