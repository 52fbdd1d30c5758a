"""What the activity log keeps of a key: never its secret, nor its hash."""

from __future__ import annotations

from datetime import datetime

from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits_text import limits_text


def key_activity(
    act: Act,
    key: ApiKey,
    *,
    actor: Actor,
    at: datetime,
    before: ApiKey | None = None,
    **details: object,
) -> Activity:
    """Return what was done to a key, by whom.

    Args:
        act: What was done.
        key: The key as it is now.
        actor: Who did it.
        at: When.
        before: The key as it was: its terms that became others are kept, old and new.
        details: What else there is to know.
    """
    names = {"name": key.name, "prefix": key.prefix, "last_four": key.last_four}
    old = {} if before is None else _terms(before)
    new = {} if before is None else _terms(key)
    return Activity(
        actor=actor,
        act=act,
        target=f"key:{key.id}",
        person_id=key.owner_id,
        before={name: value for name, value in old.items() if value != new[name]},
        after={
            **names,
            **details,
            **{name: value for name, value in new.items() if value != old[name]},
        },
        at=at,
    )


def _terms(key: ApiKey) -> dict[str, str]:
    limits = key.limits
    return {
        "name": key.name,
        "scopes": " ".join(key.scopes),
        "limits": limits_text(limits),
        "models": " ".join(limits.models),
        "addresses": " ".join(limits.addresses),
        "expires_at": key.expires_at.isoformat() if key.expires_at else "",
        "stop_per_hour": str(key.stop.per_hour) if key.stop else "",
        "stop_webhook": key.stop.webhook if key.stop else "",
        "state": "paused" if key.paused_at else "running",
    }
