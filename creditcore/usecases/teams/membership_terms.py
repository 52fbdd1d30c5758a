"""What every step upon a team begins and ends with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from creditcore.domain.access import Action, Viewer, require
from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.errors import InvalidRequestError, MemberNotFoundError, TeamNotFoundError
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import Wallet
from creditcore.domain.limits import KeyCounter, Period, SpendLimit, member_counter_id
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.people import Person
from creditcore.domain.teams import Membership, Team
from creditcore.ports.store_ports import HasActivity, HasKeys, HasTeams
from creditcore.ports.transactions import CountersTransaction, MembersTransaction

MAX_RAISED = Credits.of(1_000_000_000_000)
"""What a limit is raised by in one period: more than any wallet has, and a number all can write."""


def locked_team(tx: HasTeams, team_id: str) -> Team:
    """Return a team, locked.

    Raises:
        TeamNotFoundError: There is none, or it was deleted.
    """
    team = tx.teams.lock(team_id)
    if team.deleted_at is not None:
        raise TeamNotFoundError(team_id)
    return team


def member_who_may(
    tx: MembersTransaction, team: Team, person_id: str, action: Action
) -> Membership:
    """Return the place in a locked team of who acts.

    Raises:
        NotPermittedError: Their role does not allow it.
        TeamNotFoundError: They are not in it: what they are told is that there is none.
    """
    person, membership = tx.people.find(person_id), tx.teams.membership(team.id, person_id)
    if person is None or membership is None:
        raise TeamNotFoundError(team.id)
    require(Viewer(person=person, membership=membership, team_blocked=team.blocked), action)
    return membership


def membership_of(tx: HasTeams, team: Team, person_id: str) -> Membership:
    """Return another member.

    Raises:
        MemberNotFoundError: They are not in the team.
    """
    membership = tx.teams.membership(team.id, person_id)
    if membership is None:
        raise MemberNotFoundError(person_id)
    return membership


def begin_counting(
    tx: CountersTransaction,
    wallet: Wallet,
    person: Person,
    limit: SpendLimit | None,
    *,
    now: datetime,
) -> None:
    """Count what a new member spends, from now on: nothing they spent before counts.

    Args:
        tx: The transaction, which locks the wallet from here on.
        wallet: The team's.
        person: Who joins.
        limit: What they may spend; None for as much as there is.
        now: When they join.
    """
    tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
    name = member_counter_id(wallet.id, person.id)
    kept = tx.keys.counters([name]).get(name)
    counter = kept or KeyCounter(id=name, wallet_id=wallet.id, since=now)
    tx.keys.set_counter(with_limit(counter, limit, zone=person.timezone or "UTC", now=now))


def with_limit(
    counter: KeyCounter, limit: SpendLimit | None, *, zone: str, now: datetime
) -> KeyCounter:
    """Return a counter that begins anew, with a limit or without.

    Without one it goes by months of a zone all the same: people want to see what was spent.
    """
    return counter._replace(
        limit=limit.credits if limit else None,
        period=limit.period if limit else Period.MONTH,
        zone=limit.zone if limit else zone,
        # Later than before: a charge of the period before must not count as one of this.
        since=max(now, counter.since + timedelta(microseconds=1)),
        spent=ZERO,
        raised=ZERO,
    )


def end_counting(tx: CountersTransaction, wallet: Wallet, person_id: str) -> None:
    """Let a member who is going hold nothing more; what they hold already is still settled."""
    tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
    name = member_counter_id(wallet.id, person_id)
    if counter := tx.keys.counters([name]).get(name):
        tx.keys.set_counter(counter._replace(limit=ZERO, raised=ZERO))


def revoke_keys(tx: HasKeys, team: Team, person_id: str, *, at: datetime) -> int:
    """Revoke the keys that a member holds in a team; return how many."""
    return _revoke(tx, [key for key in tx.keys.list_of(team.id) if key.holder_id == person_id], at)


def revoke_all_keys(tx: HasKeys, team: Team, *, at: datetime) -> int:
    """Revoke every key of a team; return how many."""
    return _revoke(tx, tx.keys.list_of(team.id), at)


def _revoke(tx: HasKeys, keys: Sequence[ApiKey], at: datetime) -> int:
    open_keys = [key for key in keys if key.revoked_at is None]
    for key in open_keys:
        tx.keys.save(tx.keys.lock(key.id, owner_id=key.owner_id).revoke(at=at))
    return len(open_keys)


def note(
    tx: HasActivity,
    act: Act,
    team: Team,
    *,
    actor: Actor,
    at: datetime,
    member: str = "",
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """Keep an act in the activity log, under the team's account."""
    tx.activity.add(
        Activity(
            actor=actor,
            act=act,
            target=f"team:{team.id}",
            person_id=team.id,
            before=before or {},
            after=({"member": member} if member else {}) | (after or {}),
            at=at,
        )
    )


def limit_text(limit: SpendLimit | None) -> str:
    """Return a limit as the activity log keeps it."""
    return f"{limit.credits} credits a {limit.period}, {limit.zone}" if limit else "none"


def raise_for_period(counter: KeyCounter, amount: Credits) -> KeyCounter:
    """Return a counter whose limit is higher until its period ends.

    Raises:
        InvalidRequestError: All raises of the period together would be above ``MAX_RAISED``.
    """
    if counter.raised.microcredits + amount.microcredits > MAX_RAISED.microcredits:
        raise InvalidRequestError(
            f"A limit is raised by {MAX_RAISED} credits a period at most.", param="credits"
        )
    return counter._replace(raised=counter.raised + amount)
