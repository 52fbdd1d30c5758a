"""The tokens of a call, by bucket."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from creditcore.domain.makers import maker_of

MAX_TOKENS = 2**53
"""A count of tokens above this is nonsense and would not survive JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, by bucket.

    Attributes:
        prompt_tokens: All tokens read, cached and cache-writing ones included.
        completion_tokens: All tokens written, reasoning included.
        cached_tokens: Prompt tokens read from a cache.
        cache_write_tokens: Prompt tokens written to a cache, for any time.
        cache_write_1h_tokens: Those of them written for an hour or longer.
        reasoning_tokens: Completion tokens that were thought, not shown.
        units: What the model is sold by besides (``ModelPrice.unit``), not among the tokens.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    units: int = 0

    def __post_init__(self) -> None:
        for count in _all_counts(self):
            if type(count) is not int or not 0 <= count <= MAX_TOKENS:
                raise ValueError(f"not a count of tokens: {count!r} in {self}")


_all_counts = attrgetter(*Usage.__slots__)
make_usage = maker_of(Usage)
