"""How a call ended, as SQL over ``usage_logs``: what ``ending_of`` says of its hold."""

from __future__ import annotations

from creditcore.domain.endings import ANSWERED, CLIENT_LEFT, ERRORS_FROM, UNREPORTED, Ending

_WORDS = ", ".join(f"'{word}'" for word in ANSWERED)

CANCELLED = f"(state NOT IN ('open', 'expired') AND status = {CLIENT_LEFT})"
FAILED = f"""(state = 'expired' OR (state <> 'open' AND status <> {CLIENT_LEFT} AND (
    status >= {ERRORS_FROM} OR (error IS NOT NULL AND error NOT IN ({_WORDS})))))"""
DONE = f"(state <> 'open' AND NOT {CANCELLED} AND NOT {FAILED})"

# The words of the partial indexes, so that the few among millions are found.
_NOT_DONE = "(state = 'expired' OR status >= 400 OR error IS NOT NULL)"

CONDITIONS = {
    Ending.RUNNING: "state = 'open'",
    Ending.DONE: DONE,
    Ending.CANCELLED: f"{CANCELLED} AND {_NOT_DONE}",
    Ending.FAILED: f"{FAILED} AND {_NOT_DONE}",
}

ERROR = f"""COALESCE(error, CASE WHEN state = 'expired' THEN '{UNREPORTED}'
    ELSE 'http_' || status END)"""
"""What ``error_of`` says of a call that failed."""
