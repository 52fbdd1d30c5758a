"""What happened in a team, in words for its members."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.activity import COMMAND_LINE, SYSTEM, Act, Activity
from creditcore.usecases.teams.read_teams import TeamView

Named = Callable[[object], str]


def _limited(act: Activity, named: Named) -> str:
    who = named(act.after.get("member"))
    if raised := act.after.get("raised_this_period_by"):
        return f"raised the limit of {who} for this period by {raised} credits"
    return f"set the limit of {who}: {act.after.get('limit')}"


def _a(role: object) -> str:
    return f"{'an' if role in {'admin', 'owner'} else 'a'} {role}"


def _keys(act: Activity) -> str:
    count = act.after.get("keys_revoked", 0)
    return f"{count} {'key' if count == 1 else 'keys'} revoked"


_ON_RECEIPTS = {"company": "company", "address": "address", "tax_number": "tax number"}


def _all_of(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


_WORDS: Mapping[str, Callable[[Activity, Named], str]] = {
    Act.TEAM_CREATED: lambda act, _: f"made the team {act.after.get('name')}",
    Act.TEAM_RENAMED: lambda act, _: f"renamed the team to {act.after.get('name')}",
    Act.TEAM_RECEIPTS_CHANGED: lambda act, _: (
        f"changed what receipts name: {_all_of(_ON_RECEIPTS.get(name, name) for name in act.after)}"
    ),
    Act.MEMBER_INVITED: lambda act, _: (
        f"invited {act.after.get('email')} as {_a(act.after.get('role'))}"
    ),
    Act.INVITATION_SENT: lambda act, _: f"sent {act.after.get('email')} the invitation again",
    Act.INVITATION_REVOKED: lambda act, _: f"withdrew the invitation of {act.after.get('email')}",
    Act.INVITATION_DECLINED: lambda act, _: f"{act.after.get('email')} declined the invitation",
    Act.MEMBER_JOINED: lambda act, _: f"joined as {_a(act.after.get('role'))}",
    Act.MEMBER_ROLE_CHANGED: lambda act, named: (
        f"made {named(act.after.get('member'))} {_a(act.after.get('role'))}"
        f" (was {act.before.get('role')})"
    ),
    Act.MEMBER_LIMITED: _limited,
    Act.MEMBER_LEFT: lambda act, _: f"left; {_keys(act)}",
    Act.MEMBER_REMOVED: lambda act, named: (
        f"removed {named(act.after.get('member'))}; {_keys(act)}"
    ),
    Act.TEAM_BLOCKED: lambda act, _: f"blocked the team; {_keys(act)}",
    Act.TEAM_UNBLOCKED: lambda _act, _: "let the team in again",
    Act.OWNERSHIP_TRANSFERRED: lambda act, named: f"made {named(act.after.get('owner'))} an owner",
    Act.KEY_ISSUED: lambda act, _: f"made the key {act.after.get('name')}",
    Act.KEY_CHANGED: lambda act, _: f"changed the key {act.after.get('name')}",
    Act.KEY_ROTATED: lambda act, _: f"rotated the key {act.after.get('name')}",
    Act.KEY_STOPPED: lambda act, _: f"paused the key {act.after.get('name')}, which spent too fast",
    Act.KEY_REVOKED: lambda act, _: f"revoked the key {act.after.get('name')}",
    Act.CREDITS_GRANTED: lambda act, _: f"gave {act.after.get('credits')} credits",
    Act.PAYMENT_CREDITED: lambda _act, _: "credited a payment that was looked at",
    Act.PAYMENT_REFUNDED: lambda _act, _: "gave a payment back",
    Act.DEBT_CLEARED: lambda _act, _: "cleared the debt",
    Act.ACCOUNT_LIMITED: lambda _act, _: "changed what all keys may use together",
    Act.CARD_SAVED: lambda _act, _: "saved a card",
    Act.CARD_REMOVED: lambda _act, _: "removed a card",
    Act.TOP_UP_TURNED_ON: lambda _act, _: "turned automatic top-ups on",
    Act.TOP_UP_TURNED_OFF: lambda _act, _: "turned automatic top-ups off",
    Act.TOP_UP_STOPPED: lambda _act, _: "stopped automatic top-ups",
}


_OF_OPERATORS = (Act.TEAM_BLOCKED, Act.TEAM_UNBLOCKED)


@dataclass(frozen=True, slots=True)
class Line:
    """One act, in words.

    Attributes:
        who: The name or address of who did it.
        what: What they did.
    """

    who: str
    what: str
    at: datetime


def lines_of(view: TeamView) -> Sequence[Line]:
    """Return the latest acts of a team."""

    def named(person_id: object) -> str:
        person = view.people.get(str(person_id))
        return (person.name or person.email) if person else "a former member"

    return [_line(act, named) for act in view.acts]


def _line(act: Activity, named: Named) -> Line:
    words = _WORDS.get(act.act)
    who = named(act.actor.id)
    if act.actor in {COMMAND_LINE, SYSTEM} or act.act in _OF_OPERATORS:
        who = "Support"
    elif act.actor.id.startswith("key:"):
        who = "A program with a key"
    return Line(
        who=who,
        what=words(act, named) if words else act.act.replace(".", ": ").replace("_", " "),
        at=act.at,
    )
