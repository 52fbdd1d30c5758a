"""``context_management`` of a messages request: edits that only take tokens away."""

from __future__ import annotations

import re

from adapters.wires.fields import invalid, shown
from creditcore.domain.errors import InvalidRequestError

_CLEARING = re.compile(r"clear_[a-z_]+_20[0-9]{6}")
_FIELD = "context_management"


def check_context_edits(value: object) -> None:
    """Let edits pass that clear old results and thoughts.

    Compaction runs a second pass of the model that is billed beside the first, so it is refused.

    Raises:
        InvalidRequestError: Another edit, or no edits at all; ``param`` names the place.
    """
    if value is None:
        return
    edits = value.get("edits") if isinstance(value, dict) else None
    if not isinstance(value, dict) or set(value) - {"edits"}:
        raise invalid(_FIELD, "must be an object with nothing but edits")
    if edits is not None and not isinstance(edits, list):
        raise invalid(f"{_FIELD}.edits", "must be a list")
    for at, edit in enumerate(edits or ()):
        place = f"{_FIELD}.edits[{at}]"
        kind = edit.get("type") if isinstance(edit, dict) else None
        if not isinstance(kind, str):
            raise invalid(place, "must be an object with a type")
        if not _CLEARING.fullmatch(kind):
            raise InvalidRequestError(
                f"{place}.type {shown(kind)!r} is not served here: only edits that clear tokens "
                "(clear_...) are. Compact the conversation in your client.",
                param=f"{place}.type",
                code="unsupported_parameter",
            )
