"""What the activity log keeps of a key: never its secret, nor its hash."""

from __future__ import annotations

from datetime import datetime

from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.keys import ApiKey


def key_activity(act: Act, key: ApiKey, *, actor: Actor, at: datetime) -> Activity:
    """Return what was done to a key, by whom."""
    return Activity(
        actor=actor,
        act=act,
        target=f"key:{key.id}",
        person_id=key.owner_id,
        after={"name": key.name, "prefix": key.prefix, "last_four": key.last_four},
        at=at,
    )
