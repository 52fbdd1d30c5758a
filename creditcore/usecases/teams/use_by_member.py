"""Say which member of a team used what: with the keys they hold, and in the playground."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from creditcore.domain.keys import ApiKey
from creditcore.domain.people import Person
from creditcore.domain.usage_hours import Tally, total
from creditcore.ports.transactions import MembersTransaction
from creditcore.ports.usage_hours import member_without_key

NO_MEMBER = ""
"""Stands for the member of playground calls from before these were kept by member."""


@dataclass(frozen=True, slots=True)
class MemberUse:
    """What one member used.

    Attributes:
        member_id: The id of the person, or ``NO_MEMBER``.
        name: Unlike that of any other row, where the person is known.
        by_key: The same by key and, without one, in the playground; as they came in.
    """

    member_id: str
    name: str
    tally: Tally
    by_key: Mapping[str, Tally]


def use_by_member(
    tx: MembersTransaction,
    team_id: str,
    keys: Iterable[ApiKey],
    by_caller: Mapping[str, Tally],
    *,
    only: str = "",
) -> Sequence[MemberUse]:
    """Return what each member used, the most expensive first; no call is left out or counted twice.

    Who has left is named still, and what they used stays theirs.

    Args:
        tx: Reads names alone.
        team_id: Whose members count as present.
        keys: Those of the team, revoked ones too.
        by_caller: What was used, by key or, without one, by who made the calls.
        only: The id of the one member whose use may be seen; empty for all.
    """
    holders = {key.id: key.holder_id for key in keys}
    held: defaultdict[str, dict[str, Tally]] = defaultdict(dict)
    for key_id, tally in by_caller.items():
        member_id = member_without_key(key_id) or holders.get(key_id, NO_MEMBER)
        if not only or member_id == only:
            held[member_id][key_id] = tally
    names = names_of_members(tx, team_id, held.keys())
    used = [
        MemberUse(member_id, names[member_id], total(tallies.values()), tallies)
        for member_id, tallies in held.items()
    ]
    return sorted(used, key=lambda row: (-row.tally.charge, -row.tally.calls, row.member_id))


def names_of_members(tx: MembersTransaction, team_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Return what people are called who are or were in a team, no two of them alike."""
    people = {each: tx.people.find(each) for each in ids if each != NO_MEMBER}
    # Two people may have the same name: then their addresses tell them apart.
    taken = Counter(person.name for person in people.values() if person)
    present = {row.person_id for row in tx.teams.members(team_id)}
    named = {
        each: _name(person, is_shared=person is not None and taken[person.name] > 1)
        + ("" if each in present or person is None else " (former member)")
        for each, person in people.items()
    }
    return {NO_MEMBER: "Playground", **named}


def _name(person: Person | None, *, is_shared: bool) -> str:
    if person is None:
        return "A former member"
    if not person.name:
        return person.email
    return f"{person.name} <{person.email}>" if is_shared else person.name
