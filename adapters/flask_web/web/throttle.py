"""How often a visitor may try. Counted in Redis where there is one, else in this process.

Guessing a password is slow from one address, and from all of them together, which a stranger
with many addresses can use up. So what is tried on an account from a device that its owner
signed in with before (``devices``) is counted for that device alone. A stranger who guesses,
from however many addresses, keeps strangers out for a few minutes, and not the owner there.

An address is one of IPv4, or a /64 of IPv6: that is what one customer of a provider gets, and
any of its addresses is theirs. Those who share one share its count, owners too.
"""

from __future__ import annotations

import functools
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import current_app, request
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from adapters.flask_web.web import devices

SIGN_IN_PER_ADDRESS = parse("30 per minute")
SIGN_IN_PER_ACCOUNT_AND_ADDRESS = parse("10 per 5 minutes")
SIGN_IN_PER_ACCOUNT_AND_DEVICE = parse("10 per 5 minutes")
SIGN_IN_PER_ACCOUNT = parse("100 per 5 minutes")
SIGN_UP_PER_ADDRESS = parse("20 per 10 minutes")
MAIL_PER_ADDRESS = parse("20 per 10 minutes")
LINK_PER_ADDRESS = parse("30 per 10 minutes")
CODE_PER_ADDRESS = parse("30 per 10 minutes")
COUNTS_PER_KEY = parse("120 per minute")
CONFIRM_PER_ADDRESS = parse("60 per minute")
INVITE_PER_PERSON = parse("60 per hour")
CHECKOUT_PER_PERSON = parse("30 per 10 minutes")
PAYER_DETAILS_PER_PERSON = parse("10 per 10 minutes")
STATUS_PER_PERSON = parse("240 per minute")
QUOTES_PER_PERSON = parse("240 per minute")

_ADDRESSES_REMEMBERED = 4096


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
        """Count an attempt to get into an account: few from one device or address.

        Strangers are counted from everywhere together as well. A browser that its owner
        signed in with is not among them, and so they cannot lock it out.
        """
        account = email.strip().lower()[:254]
        device = devices.known(account)
        if device is not None:
            self.count(SIGN_IN_PER_ACCOUNT_AND_DEVICE, "device", account, device)
            return
        self.count(SIGN_IN_PER_ACCOUNT_AND_ADDRESS, "account", account, _address())
        self.count(SIGN_IN_PER_ACCOUNT, "account", account)

    def count_address(self, limit: RateLimitItem, what: str) -> None:
        """Count one attempt of the address that is asking."""
        self.count(limit, what, _address())


def throttle() -> Throttle:
    """Return what counts the attempts of this application."""
    found: Throttle = current_app.extensions["creditcore.throttle"]
    return found


def _address() -> str:
    return counted_address(request.remote_addr or "unknown")


@functools.lru_cache(maxsize=_ADDRESSES_REMEMBERED)
def counted_address(text: str) -> str:
    """Return what an address is counted as: itself, or of IPv6 the network it is in."""
    try:
        address = ip_address(text)
    except ValueError:
        # A server behind a socket file may have no better name for the other side.
        return text
    if not isinstance(address, IPv6Address):
        return text
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False))
