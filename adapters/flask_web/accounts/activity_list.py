"""What happened to an account, in words for its owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.flask_web.context import services
from adapters.flask_web.web.client_origin import in_plain_words
from creditcore.domain.activity import SYSTEM, VISITOR, Act, Activity, Actor

LATEST = 6
"""How much of it stands on the security page."""

PER_PAGE = 50

_WORDS: Mapping[str, str] = {
    Act.SIGNED_IN: "Signed in",
    Act.SIGN_IN_FAILED: "Sign-in",
    Act.PROOF_FAILED: "Proof of who you are",
    Act.SIGNED_OUT: "Signed out",
    Act.SESSION_ENDED: "Ended a session",
    Act.SESSIONS_ENDED: "Signed out everywhere",
    Act.PASSWORD_CHANGED: "Changed the password",
    Act.PASSWORD_SET: "Password set",
    Act.EMAIL_CHANGE_ASKED: "Asked for a new address",
    Act.EMAIL_CHANGED: "Changed the address",
    Act.SECOND_FACTOR_ADDED: "Turned the second factor on",
    Act.SECOND_FACTOR_REMOVED: "Turned the second factor off",
    Act.RECOVERY_CODES_RENEWED: "Made new recovery codes",
    Act.WAY_IN_CONNECTED: "Connected another account",
    Act.WAY_IN_DISCONNECTED: "Disconnected another account",
    Act.ACCOUNT_JOINED: "Account moved",
    Act.PERSON_BANNED: "Sign-in closed",
    Act.PERSON_UNBANNED: "Sign-in opened again",
    Act.PERSON_BLOCKED: "Account blocked",
    Act.PERSON_UNBLOCKED: "Account unblocked",
    Act.ROLE_CHANGED: "Role changed",
    Act.KEY_ISSUED: "Made an API key",
    Act.KEY_CHANGED: "Changed an API key",
    Act.KEY_ROTATED: "Rotated an API key",
    Act.KEY_STOPPED: "API key stopped itself",
    Act.KEY_REVOKED: "Revoked an API key",
}
_OTHERS_ENDED = "Ended all other sessions"
_FAILURES = frozenset({Act.SIGN_IN_FAILED, Act.PROOF_FAILED})

_HOW = {
    "password": "with the password",
    "sign-up": "as a new account",
    "link": "by a link that was mailed",
    "code": "with a code of the app",
    "recovery code": "with a recovery code",
    "google": "with Google",
    "github": "with GitHub",
}
_STEP = {
    "password": "wrong password",
    "code": "wrong code",
    "recovery code": "wrong recovery code",
    "too often": "too many attempts",
}
_METHOD = {"google": "Google", "github": "GitHub"}


@dataclass(frozen=True, slots=True)
class Line:
    """One act, in words.

    Attributes:
        what: What happened.
        details: By what, or to what; empty where there is no more to say.
        where: The network address, for what came through a browser; empty for an operator's act.
        device: Browser and system in plain words.
        by: Who did it, where it was not its owner in a browser.
        failed: It was tried in vain: its owner may want to look at it.
    """

    what: str
    details: str
    at: datetime
    where: str = ""
    device: str = ""
    by: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of acts, the latest first.

    Attributes:
        older: The number that the next page begins before; None where this is the last.
    """

    lines: Sequence[Line]
    older: int | None = None


def page(person_id: str, *, limit: int = PER_PAGE, before: int | None = None) -> Page:
    """Return what happened to an account, in words."""
    found = services().people.security_log.recent(person_id, limit=limit + 1, before=before)
    shown = found[:limit]
    older = shown[-1].number if len(found) > limit else None
    return Page([line_of(act) for act in shown], older)


def line_of(act: Activity) -> Line:
    """Return one act, in words."""
    is_own = act.actor.id in (act.person_id, VISITOR)
    what = _WORDS.get(act.act, act.act)
    if act.act == Act.SESSIONS_ENDED and act.after.get("but"):
        what = _OTHERS_ENDED
    return Line(
        what=what,
        details=_details(act),
        at=act.at,
        where=act.actor.address if is_own else "",
        device=in_plain_words(act.actor.user_agent) if is_own and act.actor.user_agent else "",
        by="" if is_own else "by a program" if _is_program(act.actor) else "by support",
        failed=act.act in _FAILURES,
    )


def _is_program(actor: Actor) -> bool:
    return actor == SYSTEM or actor.id.startswith("key:")


def _details(act: Activity) -> str:
    said = {name: str(value) for name, value in act.after.items()}
    return (
        _HOW.get(said.get("how", ""), "")
        or _STEP.get(said.get("step", ""), "")
        or _METHOD.get(said.get("method", ""), "")
        or said.get("new_email", "")
        or said.get("email", "")
        or said.get("device", "")
        or (said.get("name", "") if act.act.startswith("key.") else "")
    )
