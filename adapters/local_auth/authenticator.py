"""Codes of authenticator apps (TOTP, RFC 6238)."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

STEP_S = 30
_EARLY_OR_LATE = 1
"""Steps: clocks are a little wrong, and people type slowly."""


def new_secret() -> str:
    """Return 160 bits in base 32, as RFC 4226 recommends."""
    return pyotp.random_base32(32)


def uri(secret: str, *, email: str, issuer: str) -> str:
    """Return what the picture says to the app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """Return the step whose code this is, among the present one and its neighbours."""
    typed = "".join(code.split())
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return None
    current = int(now.timestamp()) // STEP_S
    app = pyotp.TOTP(secret)
    found = None
    for step in range(current - _EARLY_OR_LATE, current + _EARLY_OR_LATE + 1):
        # All are compared, so that the time tells nothing.
        if hmac.compare_digest(app.generate_otp(step), typed):
            found = step
    return found
