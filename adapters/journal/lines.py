"""A settlement as one line of JSON, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson

from creditcore.domain.counting import Because, Counted
from creditcore.domain.holds import Basis, Outcome
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Usage
from creditcore.domain.settlements import Settlement

_OUTCOME = tuple(
    field.name for field in fields(Outcome) if field.name not in {"basis", "usage", "counted"}
)


def line_of(settlement: Settlement) -> bytes:
    """Return a settlement as a line with its end."""
    return orjson.dumps(settlement, option=orjson.OPT_APPEND_NEWLINE)


def settlement_of(line: bytes) -> Settlement | None:
    """Return the settlement of a line; None where it was written by half."""
    if not line.endswith(b"\n"):
        return None
    try:
        document: dict[str, Any] = orjson.loads(line)
        outcome, most = document["outcome"], document["most"]
        usage = outcome["usage"]
        return Settlement(
            reference=document["reference"],
            wallet_id=document["wallet_id"],
            cost=Credits(document["cost"]["microcredits"]),
            outcome=Outcome(
                basis=Basis(outcome["basis"]),
                usage=None if usage is None else Usage(**usage),
                counted=_counted(outcome.get("counted") or {}),
                **{name: outcome[name] for name in _OUTCOME},
            ),
            most=None if most is None else Credits(most["microcredits"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _counted(sides: dict[str, str | None]) -> Counted:
    # A process of an earlier release wrote none.
    return Counted(**{side: Because(why) if why else None for side, why in sides.items()})
