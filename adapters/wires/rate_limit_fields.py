"""How limits stand, in the fields that the IETF drafts for every protocol.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (-10): lists of
quoted names with parameters. It is a draft, so these stand beside what SDKs know. Its
registry has no unit for tokens; ours is named for what it is.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    for each in standings:
        name = each.unit if each.whose is Whose.KEY else f"{each.whose}-{each.unit}"
        unit = "" if each.unit == "requests" else f';qu="{each.unit}"'
        reset_s = div_ceil(each.reset_us, _US_PER_S)
        policies.append(f'"{name}";q={each.limit}{unit};w={_WINDOW_S}')
        states.append(f'"{name}";r={each.remaining};t={reset_s}')
    return [("ratelimit-policy", ", ".join(policies)), ("ratelimit", ", ".join(states))]
