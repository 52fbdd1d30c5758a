"""A key that manages keys gives none more than it has itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from creditcore.domain.errors import NotPermittedError
from creditcore.domain.keys import ApiKey, Scope
from creditcore.domain.limits import KeyLimits

EXCEEDS = "exceeds_own_terms"
"""The code of a refusal to give more than the giver has."""


def check_gift(
    giver: ApiKey, *, scopes: Iterable[Scope], limits: KeyLimits, expires_at: datetime | None
) -> None:
    """See whether a key may give another one these terms.

    A key with a limit that every further key would multiply gives none for inference.

    Raises:
        NotPermittedError: It would give more than it has, or may not manage keys at all.
    """
    giver.require(Scope.ACCOUNT_MANAGE)
    more = [scope for scope in scopes if scope not in giver.scopes]
    if more:
        raise _exceeds("scopes", f"it has not the scope {more[0]} itself")
    own = giver.limits
    is_limited = own.is_counted or own.has_rates or giver.stop is not None
    if is_limited and Scope.INFERENCE in scopes:
        raise _exceeds("scopes", "it has limits itself, which another key would multiply")
    if giver.expires_at is not None and (expires_at is None or expires_at > giver.expires_at):
        raise _exceeds("expires_at", f"it expires itself at {giver.expires_at.isoformat()}")
    if own.models and not (limits.models and all(_covers(own, name) for name in limits.models)):
        raise _exceeds("allowed_models", f"it may call {', '.join(own.models)} alone")
    if own.addresses and not (limits.addresses and all(_lies_in(own, a) for a in limits.addresses)):
        raise _exceeds("allowed_ips", f"it works from {', '.join(own.addresses)} alone")


def _exceeds(param: str, why: str) -> NotPermittedError:
    message = f"This API key cannot give a key more than it has: {why}."
    return NotPermittedError(message, code=EXCEEDS, param=param)


def _covers(own: KeyLimits, name: str) -> bool:
    if not name.endswith("*"):
        return own.permits_model(name)
    return any(
        allowed.endswith("*") and name[:-1].startswith(allowed[:-1]) for allowed in own.models
    )


def _lies_in(own: KeyLimits, address: str) -> bool:
    network = ip_network(address)
    for text in own.addresses:
        allowed = ip_network(text)
        if isinstance(network, IPv4Network) and isinstance(allowed, IPv4Network):
            if network.subnet_of(allowed):
                return True
        elif (
            isinstance(network, IPv6Network)
            and isinstance(allowed, IPv6Network)
            and network.subnet_of(allowed)
        ):
            return True
    return False
