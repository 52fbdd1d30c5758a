"""Our calls beside the model server's own log of what they cost it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from creditcore.domain.holds import Basis, Hold, HoldState

CALL_PREFIX = "call-"
"""How the names of our calls begin. What has another name did not come through here."""

_TOLERATED_PART = 10**6
_TOLERATED_PICODOLLARS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRow:
    """One call in the model server's log.

    Attributes:
        call_id: Our name of the call, where it came through here.
        picodollars: What it cost, in 10^-12 USD.
        model: The name that it was called under.
        started_at: When it began there.
    """

    call_id: str
    picodollars: int
    model: str
    prompt_tokens: int
    completion_tokens: int
    started_at: datetime


class Difference(StrEnum):
    """How the two logs can disagree about a call."""

    COST = "cost"
    """Both have it, and make its cost something else."""

    UNKNOWN_HERE = "unknown_here"
    """It ran there under a name of ours, and is not here."""

    UNBILLED = "unbilled"
    """It ran there, and was charged nothing here: it failed, or its hold expired."""

    UNKNOWN_THERE = "unknown_there"
    """It was charged here by reported usage, and is not in the log there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One disagreement.

    Attributes:
        ours, theirs: The provider's cost by each log, in 10^-12 USD; None where it has none.
    """

    kind: Difference
    call_id: str
    model: str
    at: datetime
    ours: int | None
    theirs: int | None


def compare(row: SpendRow, hold: Hold | None) -> Finding | None:
    """Return how a row of the log disagrees with the call here, where it does.

    A row of nothing says nothing: refused calls have one, and cached answers. A call that is
    still open here is not compared yet, nor one that was charged by our own count.
    """
    if not row.picodollars or (hold is not None and hold.is_open):
        return None
    if hold is None:
        return _finding(Difference.UNKNOWN_HERE, row, ours=None)
    if hold.state is not HoldState.SETTLED or hold.outcome.basis is Basis.NONE:
        return _finding(Difference.UNBILLED, row, ours=0)
    ours = hold.outcome.provider_cost_picodollars
    tolerated = _TOLERATED_PICODOLLARS + ours // _TOLERATED_PART
    if hold.outcome.basis is not Basis.PROVIDER_USAGE or abs(row.picodollars - ours) <= tolerated:
        return None
    return _finding(Difference.COST, row, ours=ours)


def lacks(hold: Hold) -> Finding | None:
    """Return what a call is that the log does not have: a finding where it must have it."""
    outcome = hold.outcome
    if hold.state is not HoldState.SETTLED or outcome.basis is not Basis.PROVIDER_USAGE:
        return None
    if not outcome.provider_cost_picodollars or hold.call is None:
        return None
    return Finding(
        kind=Difference.UNKNOWN_THERE,
        call_id=hold.reference,
        model=hold.call.model,
        at=hold.created_at,
        ours=outcome.provider_cost_picodollars,
        theirs=None,
    )


def _finding(kind: Difference, row: SpendRow, *, ours: int | None) -> Finding:
    return Finding(
        kind=kind,
        call_id=row.call_id,
        model=row.model,
        at=row.started_at,
        ours=ours,
        theirs=row.picodollars,
    )
