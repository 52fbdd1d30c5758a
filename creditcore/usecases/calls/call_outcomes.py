"""How what went wrong upstream is kept with a call."""

from __future__ import annotations

from creditcore.domain.errors import (
    UpstreamError,
    UpstreamFailedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)

_MILLISECONDS_PER_SECOND = 1000


def outcome_of(error: UpstreamError) -> tuple[int, str]:
    """Return the status and the word that a refused call is kept under."""
    match error:
        case UpstreamRejectedError(status=status, code=code):
            return status, code or "upstream_rejected"
        case UpstreamTimeoutError():
            return 504, "upstream_timeout"
        case UpstreamFailedError(status=status):
            return status, "upstream_error"
    return 502, "upstream_unavailable"


def milliseconds(elapsed_s: float) -> int:
    """Return a duration in whole milliseconds."""
    return round(elapsed_s * _MILLISECONDS_PER_SECOND)
