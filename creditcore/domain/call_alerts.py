"""What an operator is told about calls."""

from __future__ import annotations

from datetime import datetime

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.holds import Call, Hold


def call_left_behind(hold: Hold, *, at: datetime) -> Alert:
    """Return the alert of a hold whose call never reported its cost."""
    return Alert(
        key=f"expired:{hold.reference}",
        severity=Severity.WARNING,
        subject="A call was left behind",
        message=(
            f"Call {hold.reference} never reported its cost. Its hold of {hold.amount} credits "
            "was given back to the wallet: the model server's log, where it keeps one, does not "
            "have the call."
        ),
        at=at,
    )


def unusable_usage(hold: Hold, call: Call, *, at: datetime) -> Alert:
    """Return the alert of a call that had to be charged by our own count."""
    beyond = hold.amount - hold.charged
    words = {
        "input": hold.outcome.counted.input,
        "output": hold.outcome.counted.output,
    }
    sides = " and ".join(f"its {side} ({why})" for side, why in words.items() if why)
    # Named after model and day: one that never counts raises this once a day, not with every
    # call, and an operator who mended it hears of it when it breaks again.
    return Alert(
        key=f"unusable_usage:{call.model}:{at:%Y-%m-%d}",
        severity=Severity.WARNING,
        subject="A model reports no usage that can be true",
        message=(
            f"{call.model} answered call {hold.reference} without token counts, or with counts "
            f"that cannot be true. Such calls are charged by our own rough count: {sides} came to "
            f"{hold.charged} credits. Up to {hold.amount} credits were held for it, so the charge "
            f"may be too low by {beyond}, or too high by a part of itself."
        ),
        at=at,
    )
