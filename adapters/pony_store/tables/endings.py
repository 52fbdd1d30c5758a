"""How a call ended, as SQL over ``usage_logs``: what ``ending_of`` says of its hold."""

from __future__ import annotations

from creditcore.domain.endings import ANSWERED, CLIENT_LEFT, ERRORS_FROM, Ending

_WORDS = ", ".join(f"'{word}'" for word in ANSWERED)

CANCELLED = f"(state NOT IN ('open', 'expired') AND status = {CLIENT_LEFT})"
FAILED = f"""(state = 'expired' OR (state <> 'open' AND status <> {CLIENT_LEFT} AND (
    status >= {ERRORS_FROM} OR (error IS NOT NULL AND error NOT IN ({_WORDS})))))"""
DONE = f"(state <> 'open' AND NOT {CANCELLED} AND NOT {FAILED})"

CONDITIONS = {
    Ending.RUNNING: "state = 'open'",
    Ending.DONE: DONE,
    # The words of the partial index, so that the few among millions are found.
    Ending.CANCELLED: f"{CANCELLED} AND (state = 'expired' OR status >= 400 OR error IS NOT NULL)",
    Ending.FAILED: f"{FAILED} AND (state = 'expired' OR status >= 400 OR error IS NOT NULL)",
}
