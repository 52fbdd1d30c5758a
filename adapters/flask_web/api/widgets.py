"""What balance widgets of other services ask for, answered in their own shapes.

OpenAI's former billing routes, which one-api and its descendants kept alive and chat clients
still call, speak of US dollars; OpenRouter's ``/api/v1/key`` too. 1 credit is 1 US cent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from adapters.flask_web.api.caller import Caller, caller_with
from adapters.flask_web.api.operations import ANY_READER
from adapters.flask_web.context import services
from creditcore.domain.keys import ApiKey
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.periods import Span
from creditcore.domain.usage_hours import HOUR, hour_of
from creditcore.ports.usage_hours import UsageOf
from creditcore.usecases.keys.read_keys import KeyView

blueprint = Blueprint("api_widgets", __name__)

_MICROCREDITS_PER_USD = 100_000_000
_NEVER = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@blueprint.get("/v1/dashboard/billing/subscription")
def subscription() -> Response:
    """Say how much may be spent in all, as OpenAI's former billing API did."""
    caller = caller_with(ANY_READER)
    total = _usd(_spent(caller) + caller.standing.credit_balance)
    return jsonify(
        object="billing_subscription",
        has_payment_method=True,
        soft_limit_usd=total,
        hard_limit_usd=total,
        system_hard_limit_usd=total,
        access_until=_access_until(caller.key),
    )


@blueprint.get("/v1/dashboard/billing/usage")
def usage() -> Response:
    """Say what was spent, in US cents, as OpenAI's former billing API did.

    Of a key with a spend limit, in its period; else of the wallet, ever.
    """
    caller = caller_with(ANY_READER)
    # Widgets divide by 100; what they show is a rounding, and nothing is charged by it.
    return jsonify(object="list", total_usage=round(_usd(_spent(caller)) * 100, 6))


@blueprint.get("/api/v1/key")
def key() -> Response:
    """Describe the key that asks, as OpenRouter does."""
    caller = caller_with(ANY_READER)
    view = _view(caller)
    spend = view.key.limits.spend if view else None
    room = view.counter.room if view and view.counter else None
    data: dict[str, Any] = {
        "label": f"{view.key.prefix}...{view.key.last_four}" if view else "session",
        "limit": _usd(spend.credits) if spend else None,
        "limit_remaining": None if room is None else _usd(room),
        "limit_reset": None if spend is None else _reset(str(spend.period)),
        "usage": _usd(_spent(caller)),
        "is_free_tier": False,
        "is_provisioning_key": False,
        "expires_at": _instant(view.key.expires_at) if view else None,
        "rate_limit": {
            "requests": view.key.limits.rpm or -1 if view else -1,
            "interval": "1m",
        },
    }
    return jsonify(data=data)


def _view(caller: Caller) -> KeyView | None:
    if caller.key is None:
        return None
    return services().keys.views.one(caller.key.id, owner_id=caller.owner_id)


def _spent(caller: Caller) -> Credits:
    view = _view(caller)
    if view is not None and view.spent is not None:
        return view.spent
    ever = Span(_EPOCH, hour_of(services().clock.now()) + HOUR)
    with services().transactions.begin() as tx:
        shares = tx.usage_hours.shares(
            UsageOf(caller.wallet_id), [ever], by_key=False, by_model=False
        )
    return sum((share.tally.charged for share in shares), ZERO)


def _usd(amount: Credits) -> float:
    return amount.microcredits / _MICROCREDITS_PER_USD


def _access_until(key: ApiKey | None) -> int:
    return int(key.expires_at.timestamp()) if key and key.expires_at else _NEVER


def _reset(period: str) -> str | None:
    return {"day": "daily", "week": "weekly", "month": "monthly"}.get(period)


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
