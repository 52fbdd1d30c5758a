"""How the wallet of who is signed in stands, said on every page when it matters."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, g

from adapters.flask_web.context import services
from adapters.flask_web.web.account import wallet
from creditcore.domain.errors import StoreError
from creditcore.domain.money import Credits
from creditcore.domain.runway import Runway

_NOTHING_LEFT = Credits.of(1)
_LOW = Credits.of(100)
_REFUSED_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """A wallet that is low or empty.

    Attributes:
        is_empty: Nothing is left that a page could show as a cent.
        runway: How long the rest lasts.
        refused: How many calls were refused in the last day, for want of credit or otherwise.
        refused_since: When the first of those began.
    """

    is_empty: bool
    runway: Runway
    refused: int = 0
    refused_since: datetime | None = None


def standing() -> Standing | None:
    """Return how the wallet stands, if it is low or empty; read once a request."""
    if "standing" not in g:
        g.standing = None
        with suppress(StoreError):
            g.standing = _standing()
    found: Standing | None = g.standing
    return found


def lasting() -> Runway:
    """Return how long the wallet of this page lasts; read once a request."""
    if "lasting" not in g:
        g.lasting = Runway()
        mine = wallet()
        with suppress(StoreError):
            if mine is not None and mine.available >= _NOTHING_LEFT:
                g.lasting = services().books.insight.runway(mine)
    found: Runway = g.lasting
    return found


def _standing() -> Standing | None:
    mine = wallet()
    if mine is None:
        return None
    if mine.available < _NOTHING_LEFT:
        with services().transactions.begin() as tx:
            refused = [
                call
                for call in tx.refusals.older(mine.id, limit=_REFUSED_SHOWN)
                if call.status == 402
            ]
        since = refused[-1].at if refused else None
        return Standing(is_empty=True, runway=Runway(), refused=len(refused), refused_since=since)
    lasts = lasting()
    if mine.available < _LOW or lasts.is_short:
        return Standing(is_empty=False, runway=lasts)
    return None


def register(app: Flask) -> None:
    """Make both known to every template."""
    app.context_processor(lambda: {"standing": standing, "lasting": lasting})
