"""What the activity log keeps of a session: never its secret, nor its hash."""

from __future__ import annotations

from datetime import datetime

from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.sessions import Session


def session_activity(
    act: Act, session: Session, *, actor: Actor, at: datetime, **more: str
) -> Activity:
    """Return what was done to, or by, a session; further facts that are empty are left out."""
    return Activity(
        actor=actor,
        act=act,
        target=f"person:{session.person_id}",
        person_id=session.person_id,
        after={name: text for name, text in more.items() if text},
        at=at,
    )
