"""How limits stand, in the fields that the IETF drafts for every protocol.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (-10): lists of
quoted names with parameters. It is a draft, so these stand beside what SDKs know. Its
registry has no unit for tokens; ours is named for what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from creditcore.domain.limits import Whose
from creditcore.domain.money import div_ceil
from creditcore.domain.rates import Standing

_US_PER_S = 1_000_000
_WINDOW_S = 60


def rate_limit_fields(standings: Sequence[Standing]) -> list[tuple[str, str]]:
    """Return the two fields for the limits of a key and its account; without any, none."""
    if not standings:
        return []
    policies, states = [], []
    for unit, limit, remaining, reset_us, whose in standings:
        name, policy = _policy(unit, whose, limit)
        policies.append(policy)
        states.append(f'"{name}";r={remaining};t={div_ceil(reset_us, _US_PER_S)}')
    return [("ratelimit-policy", ", ".join(policies)), ("ratelimit", ", ".join(states))]


@lru_cache(maxsize=10_000)
def _policy(unit: str, whose: Whose, limit: int) -> tuple[str, str]:
    """Return the name of a limit, and what it says; each call of a key tells the same ones."""
    name = unit if whose is Whose.KEY else f"{whose}-{unit}"
    kind = "" if unit == "requests" else f';qu="{unit}"'
    return name, f'"{name}";q={limit}{kind};w={_WINDOW_S}'
