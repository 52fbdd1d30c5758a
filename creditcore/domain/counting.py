"""Which side of a call's usage we counted ourselves, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from creditcore.domain.units import Unit


class Because(StrEnum):
    """Why a count is ours and not the provider's."""

    NOT_REPORTED = "not_reported"
    """The answer was complete, and its provider said nothing of this."""

    CLIENT_LEFT = "client_left"
    """The caller went away before the provider had said it."""

    CUT_OFF = "cut_off"
    """The answer broke off, or ended where the credits did, before the provider had said it."""

    FELL_BEHIND = "fell_behind"
    """More text passed than the provider's last word counts."""

    INCREDIBLE = "incredible"
    """What the provider said could not be true."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Why each side was counted by us; None for one that the provider counted.

    What a model is sold by beside tokens is of the side that it belongs to.
    """

    input: Because | None = None
    output: Because | None = None

    def because(self, bucket: str) -> Because | None:
        """Return why the line of a receipt is by our count; None if it is the provider's.

        Tokens of a cache and of reasoning are only ever the provider's.
        """
        if bucket == "input" or bucket in _UNITS_OF_INPUT:
            return self.input
        if bucket == "output" or bucket in _UNITS_OF_OUTPUT:
            return self.output
        return None


ALL_REPORTED = Counted()

_UNITS_OF_INPUT = frozenset({Unit.CHARACTER, Unit.MILLISECOND, Unit.SEARCH, Unit.AUDIO_TOKEN})
_UNITS_OF_OUTPUT = frozenset({Unit.IMAGE, Unit.IMAGE_TOKEN})
