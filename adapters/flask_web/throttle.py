"""How often somebody may try. Counted in Redis where there is one, else in this process."""

from __future__ import annotations

from flask import request
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

SIGN_IN_PER_ADDRESS = parse("30 per minute")
SIGN_IN_PER_ACCOUNT_AND_ADDRESS = parse("10 per 5 minutes")
SIGN_IN_PER_ACCOUNT = parse("100 per 5 minutes")
SIGN_UP_PER_ADDRESS = parse("20 per 10 minutes")
CONFIRM_PER_ADDRESS = parse("60 per minute")


class Throttle:
    """Counts attempts by who makes them and what they try."""

    def __init__(self, redis_url: str) -> None:
        self._limiter = MovingWindowRateLimiter(storage_from_string(redis_url or "memory://"))

    def count(self, limit: RateLimitItem, *names: str) -> None:
        """Count one attempt.

        Raises:
            TooManyRequests: There were too many; the answer says when to come back.
        """
        if not self._limiter.hit(limit, *names):
            raise TooManyRequests(
                "Too many attempts. Wait a few minutes and try again.",
                retry_after=limit.get_expiry(),
            )

    def count_account(self, email: str) -> None:
        """Count an attempt to get into an account.

        Few from one address, and many from everywhere: a stranger who guesses does not
        lock the owner out.
        """
        account = email.strip().lower()[:254]
        address = request.remote_addr or "unknown"
        self.count(SIGN_IN_PER_ACCOUNT_AND_ADDRESS, "account", account, address)
        self.count(SIGN_IN_PER_ACCOUNT, "account", account)

    def count_address(self, limit: RateLimitItem, what: str) -> None:
        """Count one attempt of the address that is asking."""
        self.count(limit, what, request.remote_addr or "unknown")
