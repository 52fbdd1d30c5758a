"""How a call ended, in the few kinds that people and figures tell apart."""

from __future__ import annotations

from enum import StrEnum

from creditcore.domain.holds import Hold, HoldState, Outcome

CREDITS_EXHAUSTED = "credits_exhausted"
"""The error of a stream that ended because nothing more of it could be paid for."""

INCREDIBLE_USAGE = "incredible_usage"
"""The error of a call whose provider's count could not be true."""

CONTRADICTORY_USAGE = "contradictory_usage"
"""The error of a call whose text is far more than its provider's count of it."""

ANSWERED = (CREDITS_EXHAUSTED, INCREDIBLE_USAGE, CONTRADICTORY_USAGE)
"""Words on a call that was answered all the same: they are about its count or its length."""

INTERRUPTED = "interrupted"
"""The error of a call whose process died: it is charged by the last evidence of it."""

UNREPORTED = "unreported"
"""What stands for the error of a call that never reported back."""

NOT_MADE = "not_made"
"""The error of a call that was refused because the ledger fell silent, and did not go upstream."""

CLIENT_LEFT = 499
"""The status of a call whose client went away first, as nginx writes it."""

ERRORS_FROM = 400


class Ending(StrEnum):
    """How a call ended. A refused one never began: it has no hold, and is kept elsewhere."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


def ending_of(hold: Hold) -> Ending:
    """Return how a call ended.

    One that never reported back has failed. One whose credits ran out is done: its answer
    ends where they did.
    """
    match hold.state:
        case HoldState.OPEN:
            return Ending.RUNNING
        case HoldState.EXPIRED:
            return Ending.FAILED
        case HoldState.SETTLED | HoldState.RELEASED:
            return _ending_by(hold.outcome)


def error_of(hold: Hold) -> str:
    """Return the word for what went wrong with a call that failed; empty for every other."""
    if ending_of(hold) is not Ending.FAILED:
        return ""
    if hold.outcome.error is not None:
        return hold.outcome.error
    return UNREPORTED if hold.state is HoldState.EXPIRED else f"http_{hold.outcome.status}"


def was_not_made(hold: Hold) -> bool:
    """Whether a hold only says that nothing was held for a call, which was never made."""
    return hold.state is HoldState.RELEASED and hold.outcome.error == NOT_MADE


def _ending_by(outcome: Outcome) -> Ending:
    if outcome.status == CLIENT_LEFT:
        return Ending.CANCELLED
    if outcome.status >= ERRORS_FROM:
        return Ending.FAILED
    if outcome.error is not None and outcome.error not in ANSWERED:
        return Ending.FAILED
    return Ending.DONE
