"""Calls from browsers of other sites: any origin may call the API, none with a cookie.

A key in a header is all that counts under ``/v1``, so nothing is given away by letting every page
call it. Cookies never count there, and credentials are never allowed: a page cannot spend the
credits of a person who merely visits it.
"""

from __future__ import annotations

_EXPOSED = (
    "x-request-id, request-id, x-credits-cost, x-credits-remaining, retry-after, x-should-retry, *"
)
"""The star stands for all others, such as those of limits: it counts where no cookie does."""

_ANY_ORIGIN = ("access-control-allow-origin", "*")

_MAX_HEADERS = 50

ANSWER_HEADERS = (_ANY_ORIGIN, ("access-control-expose-headers", _EXPOSED))
"""On every answer of the API, refusals too: a browser shows its page nothing else of them."""


def preflight_headers(requested: str | None) -> list[tuple[str, str]]:
    """Return the answer to a browser that asks whether it may send a request.

    Args:
        requested: ``Access-Control-Request-Headers``: SDKs send a dozen headers of their own,
            which are ignored here, so all of them may come. ``*`` would leave ``Authorization``
            out (Fetch standard).
    """
    names = [name.strip() for name in (requested or "").split(",")]
    allowed = [name for name in names if name and name.replace("-", "").isalnum()]
    return [
        *ANSWER_HEADERS,
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", ", ".join(allowed[:_MAX_HEADERS]) or "authorization"),
        ("access-control-max-age", "86400"),
        ("vary", "access-control-request-headers"),
    ]
