"""A form that was refused for no fault in it comes back with what was typed, to be sent again.

It was open for too long, another account was chosen meanwhile, or it came too often. What is
secret does not come back, and what confirms an earlier preview neither: it is asked for again.

A form of another site gets no such page: one press of a button there would undo what the token
protects from. Browsers say themselves where a form came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import request

from adapters.flask_web.web.choices import PERIODS, ROLES
from creditcore.domain.teams import TeamRole

_TOKEN = "csrf_token"  # noqa: S105 - the name of a field
_ASKED_AGAIN = ("confirmed", "consent")
_SECRET = ("password", "code", "otp", "secret", "token")
_HIDDEN = ("attempt", "call_id", "do", "key_id", "next", "state", "team_id", "timezone")
_LABELS = {
    "amount": "Amount",
    "amount_usd": "Amount in US dollars",
    "confirm": "Typed to confirm",
    "custom_usd": "Another amount in US dollars",
    "email": "E-mail address",
    "expires_in_days": "Expires in days",
    "max_parallel": "Calls at the same time",
    "max_tokens": "Most tokens of the answer",
    "period": "Counted",
    "person_id": "Person",
    "rpm": "Requests a minute",
    "tpm": "Tokens a minute",
    "q": "Search",
}
_MAX_FIELDS = 40
_MAX_LINE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Returned:
    """One field of a form that comes back.

    Attributes:
        kind: ``hidden``, ``password`` (which comes back empty), ``choice``, ``line`` or ``text``.
        number: Counts the fields, as a name may occur twice.
        choices: What a ``choice`` is one of, and the words for it.
    """

    name: str
    label: str
    value: str
    kind: str
    number: int
    choices: Mapping[str, str] = field(default_factory=dict)


def returned_fields() -> Sequence[Returned] | None:
    """Return the fields of the form that a person sent from a page of this site, if it is one."""
    if request.method != "POST" or not _is_from_here():
        return None
    if request.mimetype != "application/x-www-form-urlencoded":
        return None
    sent = list(request.form.items(multi=True))
    if len(sent) > _MAX_FIELDS:
        return None
    return [
        _returned(name, value, number)
        for number, (name, value) in enumerate(sent)
        if name != _TOKEN and name not in _ASKED_AGAIN
    ]


def _returned(name: str, value: str, number: int) -> Returned:
    label = _LABELS.get(name) or name.replace("_", " ").capitalize()
    if any(word in name for word in _SECRET):
        return Returned(name, label, "", "password", number)
    if name in _HIDDEN or not value:
        return Returned(name, label, value, "hidden", number)
    choices = _choices(name, value)
    if value in choices:
        return Returned(name, label, value, "choice", number, choices)
    is_long = "\n" in value or len(value) > _MAX_LINE_LENGTH
    return Returned(name, label, value, "text" if is_long else "line", number)


def _choices(name: str, value: str) -> Mapping[str, str]:
    if name == "role":
        # Not every list of roles offers the owner's.
        return {
            role: words
            for role, words in ROLES.items()
            if role is not TeamRole.OWNER or value == role
        }
    return {str(period): words for period, words in PERIODS.items()} if name == "period" else {}


def _is_from_here() -> bool:
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    try:
        origin = urlsplit(request.headers.get("Origin", ""))
    except ValueError:
        return False
    return bool(origin.netloc) and origin.netloc == request.host
