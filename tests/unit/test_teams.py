"""Teams: who may do what to whom, and how people come and go."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from creditcore.domain.activity import COMMAND_LINE as ACTOR
from creditcore.domain.errors import (
    ApiKeyNotFoundError,
    CreditcoreError,
    InvalidRequestError,
    InvitationRefusedError,
    LastOwnerError,
    MemberNotFoundError,
    NotPermittedError,
    ReferenceConflictError,
    TeamNotFoundError,
)
from creditcore.domain.limits import KeyLimits, Period, SpendLimit, member_counter_id
from creditcore.domain.low_balance import LowBalanceWatch
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.people import Person
from creditcore.domain.teams import (
    INVITATION_LIFETIME,
    MAX_MEMBERS,
    MAX_TEAMS,
    InvitationState,
    Membership,
    Team,
    TeamRole,
)
from creditcore.domain.top_ups import TopUpOrder, TopUpState
from creditcore.testing.memory import FixedClock, MemoryTransactions, SequentialIds
from creditcore.usecases.keys.change_key import ChangeKey, KeyChanges
from creditcore.usecases.keys.issue_key import IssueKey
from creditcore.usecases.keys.read_keys import ReadKeys
from creditcore.usecases.people.block_person import BlockPerson
from creditcore.usecases.people.close_account import CloseAccount
from creditcore.usecases.teams.block_team import BlockTeam
from creditcore.usecases.teams.change_members import ChangeMembers
from creditcore.usecases.teams.invite_members import INVITATION_JOB, InviteMembers
from creditcore.usecases.teams.keep_teams import KeepTeams
from creditcore.usecases.teams.membership_terms import begin_counting
from creditcore.usecases.teams.read_teams import ReadTeams

ADDRESS = "baraka@example.com"
PEOPLE = ("amina", "baraka", "chiku", "daudi", "eshe")
"""An owner, an outsider, a viewer, a member and an admin."""

ROLES = {"amina": TeamRole.OWNER, "chiku": TeamRole.VIEWER, "daudi": TeamRole.MEMBER}
ROLES |= {"eshe": TeamRole.ADMIN}
A_MONTH = SpendLimit(credits=Credits.of(500), period=Period.MONTH, zone="Africa/Nairobi")


@dataclass
class Office:
    """A team with one person of each role, on the memory store."""

    store: MemoryTransactions = field(default_factory=MemoryTransactions)
    clock: FixedClock = field(default_factory=FixedClock)
    ids: SequentialIds = field(default_factory=SequentialIds)
    mails: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    team_id: str = ""

    def __post_init__(self) -> None:
        ports: dict[str, Any] = {"transactions": self.store, "clock": self.clock}
        self.keep = KeepTeams(**ports, ids=self.ids)
        self.members = ChangeMembers(**ports)
        self.views = ReadTeams(**ports)
        self.blocks = BlockTeam(**ports)
        self.invitations = InviteMembers(
            **ports,
            ids=self.ids,
            pepper=b"pepper",
            base_url="https://credits.example",
            deliver=lambda *mail: self.mails.append(mail),  # type: ignore[arg-type]
        )
        self.keys = IssueKey(**ports, ids=self.ids, pepper=b"pepper")
        self.key_changes = ChangeKey(**ports, ids=self.ids, pepper=b"pepper")
        self.key_views = ReadKeys(**ports)
        with self.store.begin() as tx:
            for name in PEOPLE:
                email = f"{name}@example.com"
                tx.people.add(Person(id=name, email=email, created_at=self.clock.now()))
            tx.commit()
        self.team_id = self.keep.create("amina", "Kijani Labs").id
        for name, role in ROLES.items():
            if role is not TeamRole.OWNER:
                self.join(name, role)

    def join(self, name: str, role: TeamRole) -> None:
        with self.store.begin() as tx:
            person = tx.people.find(name)
            assert person is not None
            row = Membership(
                team_id=self.team_id, person_id=name, role=role, joined_at=self.clock.now()
            )
            tx.teams.put(row)
            wallet = tx.ledger.find_wallet_of(self.team_id)
            begin_counting(tx, wallet, person, None, now=self.clock.now())
            tx.commit()

    def role_of(self, name: str) -> TeamRole | None:
        with self.store.begin() as tx:
            row = tx.teams.membership(self.team_id, name)
        return row.role if row else None

    def acts(self) -> list[str]:
        rows = self.store.committed.activity.values()
        return [row.act for row in rows if row.person_id == self.team_id]

    def put_on_receipts(self, *, by: str = "eshe", **given: str) -> Team:
        given = {"company": "Kijani Ltd", "address": "", "tax_number": "P052"} | given
        return self.keep.put_on_receipts(self.team_id, by=by, **given)

    def invite(self, email: str = ADDRESS, **terms: Any) -> str:
        """Invite somebody; return the token of the link."""
        role = terms.pop("role", TeamRole.MEMBER)
        invited = self.invitations.invite(self.team_id, email, role, by="eshe", **terms)
        return token_of(invited.url)


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["token"][0]


@pytest.fixture
def office() -> Office:
    return Office()


ACTS = {
    "rename": (TeamRole.ADMIN, lambda o, by: o.keep.rename(o.team_id, "Kijani", by=by)),
    "put on receipts": (TeamRole.ADMIN, lambda o, by: o.put_on_receipts(by=by)),
    "invite": (
        TeamRole.ADMIN,
        lambda o, by: o.invitations.invite(o.team_id, ADDRESS, TeamRole.VIEWER, by=by),
    ),
    "limit": (TeamRole.ADMIN, lambda o, by: o.members.limit(o.team_id, "daudi", A_MONTH, by=by)),
    "promote": (
        TeamRole.ADMIN,
        lambda o, by: o.members.give_role(o.team_id, "daudi", TeamRole.ADMIN, by=by),
    ),
    "remove a viewer": (TeamRole.ADMIN, lambda o, by: o.members.remove(o.team_id, "chiku", by=by)),
    "make an owner": (
        TeamRole.OWNER,
        lambda o, by: o.members.give_role(o.team_id, "daudi", TeamRole.OWNER, by=by),
    ),
    "hand over": (TeamRole.OWNER, lambda o, by: o.keep.transfer(o.team_id, "daudi", by=by)),
    "delete": (TeamRole.OWNER, lambda o, by: o.keep.delete(o.team_id, "Kijani Labs", by=by)),
    "make a key": (
        TeamRole.MEMBER,
        lambda o, by: o.keys.issue(o.team_id, name="laptop", holder_id=by),
    ),
    "look": (TeamRole.VIEWER, lambda o, by: o.views.show(o.team_id, to=by)),
}


@pytest.mark.parametrize("act", ACTS)
def test_each_act_takes_a_role_and_outsiders_find_no_team(act: str) -> None:
    least, do = ACTS[act]
    for name in PEOPLE:
        office, role = Office(), ROLES.get(name)
        wanted: type[CreditcoreError] | None = None
        if role is None:
            wanted = TeamNotFoundError
        elif role.rank < least.rank:
            wanted = NotPermittedError
        before = office.acts()
        if wanted is None:
            do(office, name)
        else:
            with pytest.raises(wanted):
                do(office, name)
            assert office.acts() == before


@pytest.mark.parametrize("name", PEOPLE)
def test_a_blocked_member_does_nothing(office: Office, name: str) -> None:
    BlockPerson(transactions=office.store, clock=office.clock).block(name, reason="fraud")

    for _, do in ACTS.values():
        with pytest.raises((NotPermittedError, TeamNotFoundError, InvalidRequestError)):
            do(office, name)


def test_an_admin_touches_no_owner(office: Office) -> None:
    for step in (
        lambda: office.members.remove(office.team_id, "amina", by="eshe"),
        lambda: office.members.limit(office.team_id, "amina", A_MONTH, by="eshe"),
        lambda: office.members.give_role(office.team_id, "amina", TeamRole.VIEWER, by="eshe"),
        lambda: office.members.raise_once(office.team_id, "amina", Credits.of(1), by="eshe"),
    ):
        with pytest.raises(NotPermittedError):
            step()

    assert office.role_of("amina") is TeamRole.OWNER


def test_the_last_owner_stays_whatever_is_tried(office: Office) -> None:
    closing = CloseAccount(
        transactions=office.store,
        clock=office.clock,
        operators=None,  # type: ignore[arg-type] - asked by the job, which does not run here
    )
    for step in (
        lambda: office.members.leave(office.team_id, "amina"),
        lambda: office.members.give_role(office.team_id, "amina", TeamRole.ADMIN, by="amina"),
        lambda: closing.close("amina"),
    ):
        with pytest.raises(LastOwnerError, match="Kijani Labs"):
            step()
    with pytest.raises(InvalidRequestError, match="Leave the team instead"):
        office.members.remove(office.team_id, "amina", by="amina")

    office.keep.transfer(office.team_id, "daudi", by="amina")
    assert (office.role_of("amina"), office.role_of("daudi")) == (TeamRole.ADMIN, TeamRole.OWNER)
    closing.close("amina")
    assert office.role_of("amina") is None


def test_an_operator_appoints_an_owner_where_none_can_act(office: Office) -> None:
    with pytest.raises(MemberNotFoundError):
        office.keep.appoint(office.team_id, "baraka", actor=ACTOR)
    office.keep.appoint(office.team_id, "daudi", actor=ACTOR)

    assert (office.role_of("amina"), office.role_of("daudi")) == (TeamRole.OWNER, TeamRole.OWNER)


def test_an_invitation_is_mailed_without_a_token_in_the_outbox(office: Office) -> None:
    token = office.invite(limit=A_MONTH)
    [job] = office.store.committed.jobs.values()
    assert job.kind == INVITATION_JOB
    assert token.partition(".")[2] not in repr(office.store.committed)

    office.invitations.mail(job)
    office.invitations.mail(job)

    (template, first_id, to, values), (_, second_id, _, _) = office.mails
    assert (template, to, first_id) == ("team_invitation", ADDRESS, second_id)
    assert (token_of(values["url"]), values["inviter"]) == (token, "eshe@example.com")


def test_accepting_joins_once_with_the_role_and_limit_of_the_invitation(office: Office) -> None:
    token = office.invite(limit=A_MONTH)
    offer = office.invitations.look(token)
    assert (offer.team.name, offer.invitation.role) == ("Kijani Labs", TeamRole.MEMBER)

    joined = office.invitations.accept(token, "baraka")
    assert office.invitations.accept(token, "baraka") == joined

    [member] = [
        row
        for row in office.views.show(office.team_id, to="amina").members
        if row.person.id == "baraka"
    ]
    assert (member.membership.role, member.spending.counter.limit) == (
        TeamRole.MEMBER,
        A_MONTH.credits,
    )
    assert member.spending.counter.calendar == A_MONTH
    office.members.remove(office.team_id, "baraka", by="amina")
    with pytest.raises(InvitationRefusedError):
        office.invitations.accept(token, "baraka")


def test_a_link_opens_nothing_for_another_address(office: Office) -> None:
    token = office.invite("somebody.else@example.com")

    with pytest.raises(InvitationRefusedError, match=r"signed in as baraka@example\.com"):
        office.invitations.accept(token, "baraka")


@pytest.mark.parametrize("ending", ["expired", "sent again", "withdrawn", "declined", "deleted"])
def test_a_link_that_is_over_opens_nothing(office: Office, ending: str) -> None:
    token = office.invite()
    [job] = office.store.committed.jobs.values()
    [invitation] = office.store.committed.invitations.values()
    match ending:
        case "expired":
            office.clock.advance(INVITATION_LIFETIME)
        case "sent again":
            again = office.invitations.resend(office.team_id, invitation.id, by="eshe")
            assert token_of(again.url) != token
        case "withdrawn":
            office.invitations.revoke(office.team_id, invitation.id, by="eshe")
        case "declined":
            office.invitations.decline(token)
        case "deleted":
            office.keep.delete(office.team_id, "Kijani Labs", by="amina")

    for step in (
        lambda: office.invitations.look(token),
        lambda: office.invitations.accept(token, "baraka"),
        lambda: office.invitations.decline(token),
    ):
        with pytest.raises(InvitationRefusedError):
            step()
    office.invitations.mail(job)
    assert not office.mails
    assert office.role_of("baraka") is None


@pytest.mark.parametrize(
    "token", ["", "x", "i.A", "\x00" * 70, f"00000000-0000-7000-8000-000000000001.{'A' * 43}"]
)
def test_an_invented_token_opens_nothing(office: Office, token: str) -> None:
    office.invite()

    with pytest.raises(InvitationRefusedError):
        office.invitations.accept(token, "baraka")


def test_inviting_an_address_again_replaces_its_invitation(office: Office) -> None:
    first, second = office.invite(), office.invite(role=TeamRole.VIEWER)

    [invitation] = office.store.committed.invitations.values()
    assert (invitation.role, invitation.state) == (TeamRole.VIEWER, InvitationState.PENDING)
    with pytest.raises(InvitationRefusedError):
        office.invitations.look(first)
    office.invitations.look(second)


def test_no_person_is_invited_twice_or_as_an_owner(office: Office) -> None:
    with pytest.raises(InvalidRequestError, match="in this team already"):
        office.invite("daudi@example.com")
    with pytest.raises(InvalidRequestError, match="make them an owner"):
        office.invite(role=TeamRole.OWNER)
    with pytest.raises(InvalidRequestError, match="not an e-mail address"):
        office.invite("daudi")


def test_teams_and_their_invitations_are_bounded(office: Office) -> None:
    for number in range(MAX_MEMBERS - len(ROLES)):
        office.invite(f"p{number}@example.com")
    with pytest.raises(InvalidRequestError, match="members at most"):
        office.invite()

    for number in range(MAX_TEAMS - 1):
        office.keep.create("daudi", f"Team {number}")
    with pytest.raises(InvalidRequestError, match="teams at most"):
        office.keep.create("daudi", "One too many")


def test_a_repeated_request_makes_one_team(office: Office) -> None:
    office.keep.create("baraka", "Mine", team_id="t-1")

    with pytest.raises(ReferenceConflictError):
        office.keep.create("baraka", "Mine", team_id="t-1")


def test_a_members_keys_are_theirs_and_an_admins_to_revoke(office: Office) -> None:
    key, _ = office.keys.issue(office.team_id, name="laptop", holder_id="daudi")
    other, _ = office.keys.issue(office.team_id, name="server", holder_id="eshe")

    def seen(holder_id: str) -> list[str]:
        views = office.key_views.page(office.team_id, limit=9, holder_id=holder_id)
        return sorted(view.key.name for view in views)

    assert (seen(""), seen("daudi")) == (["laptop", "server"], ["laptop"])
    for step in (
        lambda: office.key_views.one(other.id, owner_id=office.team_id, holder_id="daudi"),
        lambda: office.keys.revoke(other.id, owner_id=office.team_id, holder_id="daudi"),
        lambda: office.key_changes.change(
            other.id, KeyChanges(name="x"), owner_id=office.team_id, holder_id="daudi"
        ),
        # A new secret is for its holder to know, also where an owner asks.
        lambda: office.key_changes.rotate(key.id, owner_id=office.team_id, holder_id="eshe"),
    ):
        with pytest.raises(ApiKeyNotFoundError):
            step()
    rotated, _ = office.key_changes.rotate(key.id, owner_id=office.team_id, holder_id="daudi")
    assert rotated.holder_id == "daudi"
    assert office.key_changes.pause_all(office.team_id, holder_id="daudi") == 1
    assert office.keys.revoke(other.id, owner_id=office.team_id).revoked_at is not None


@pytest.mark.parametrize("going", ["leaves", "removed", "viewer", "blocked", "deleted", "closed"])
def test_keys_end_with_what_allowed_them(office: Office, going: str) -> None:
    key, _ = office.keys.issue(office.team_id, name="laptop", holder_id="daudi")
    match going:
        case "leaves":
            assert office.members.leave(office.team_id, "daudi") == 1
        case "removed":
            assert office.members.remove(office.team_id, "daudi", by="eshe") == 1
        case "viewer":
            office.members.give_role(office.team_id, "daudi", TeamRole.VIEWER, by="eshe")
        case "blocked":
            blocks = BlockPerson(transactions=office.store, clock=office.clock)
            assert blocks.block("daudi", reason="fraud") == 1
        case "deleted":
            office.keep.delete(office.team_id, " Kijani  Labs ", by="amina")
        case "closed":
            CloseAccount(
                transactions=office.store,
                clock=office.clock,
                operators=None,  # type: ignore[arg-type] - asked by the job
            ).close("daudi")

    assert office.store.committed.keys[key.id].revoked_at is not None


def test_deleting_takes_the_name_and_leaves_the_books(office: Office) -> None:
    with pytest.raises(InvalidRequestError, match="Type the name"):
        office.keep.delete(office.team_id, "kijani labs", by="amina")
    office.keep.delete(office.team_id, "Kijani Labs", by="amina")

    with pytest.raises(TeamNotFoundError):
        office.views.show(office.team_id, to="amina")
    assert office.views.accounts("amina") == []
    with office.store.begin() as tx:
        wallet = tx.ledger.find_wallet_of(office.team_id)
        counter = tx.keys.counters([member_counter_id(wallet.id, "daudi")])
    assert [row.room for row in counter.values()] == [ZERO]


def test_a_period_of_a_member_begins_anew_and_a_raise_ends_with_it(office: Office) -> None:
    office.members.limit(office.team_id, "daudi", A_MONTH, by="eshe")
    office.members.raise_once(office.team_id, "daudi", Credits.of(20), by="eshe")
    with office.store.begin() as tx:
        wallet = tx.ledger.find_wallet_of(office.team_id)
        name = member_counter_id(wallet.id, "daudi")
        counter = tx.keys.counters([name])[name]
    spent = counter._replace(spent=Credits.of(510))
    assert spent.room == Credits.of(10)

    later = spent.at(spent.calendar, office.clock.now() + timedelta(days=45))

    assert (later.spent, later.raised, later.room) == (ZERO, ZERO, Credits.of(500))
    office.members.limit(office.team_id, "eshe", None, by="eshe")
    with pytest.raises(InvalidRequestError, match="no limit"):
        office.members.raise_once(office.team_id, "eshe", Credits.of(1), by="eshe")


def test_every_act_is_in_the_log_of_the_team(office: Office) -> None:
    token = office.invite()
    [invitation] = office.store.committed.invitations.values()
    token = token_of(office.invitations.resend(office.team_id, invitation.id, by="eshe").url)
    office.invitations.accept(token, "baraka")
    office.members.limit(office.team_id, "baraka", A_MONTH, by="eshe")
    office.members.give_role(office.team_id, "baraka", TeamRole.ADMIN, by="eshe")
    office.members.leave(office.team_id, "baraka")
    office.invitations.decline(office.invite())
    office.invite()
    [pending] = [
        row
        for row in office.store.committed.invitations.values()
        if row.state is InvitationState.PENDING
    ]
    office.invitations.revoke(office.team_id, pending.id, by="eshe")
    office.members.remove(office.team_id, "chiku", by="eshe")
    office.keep.rename(office.team_id, "Kijani", by="eshe")
    office.put_on_receipts()
    office.keep.transfer(office.team_id, "eshe", by="amina")
    office.keep.delete(office.team_id, "Kijani", by="eshe")

    assert office.acts() == [
        "team.created",
        "member.invited",
        "invitation.sent_again",
        "member.joined",
        "member.limited",
        "member.role_changed",
        "member.left",
        "member.invited",
        "invitation.declined",
        "member.invited",
        "invitation.revoked",
        "member.removed",
        "team.renamed",
        "team.receipts_changed",
        "team.ownership_transferred",
        "team.deleted",
    ]


def test_what_receipts_name_is_kept_with_what_they_named_before(office: Office) -> None:
    first = office.put_on_receipts()
    repeated = office.put_on_receipts(company="  Kijani   Ltd ")
    office.put_on_receipts(tax_number="P053", address="Moi Avenue 1")

    assert repeated == first
    acts = [
        (row.act, row.actor.id, row.before, row.after)
        for row in office.store.committed.activity.values()
        if row.act == "team.receipts_changed"
    ]
    assert acts == [
        (
            "team.receipts_changed",
            "system",
            {"company": "", "tax_number": ""},
            {"company": "Kijani Ltd", "tax_number": "P052"},
        ),
        (
            "team.receipts_changed",
            "system",
            {"address": "", "tax_number": "P052"},
            {"address": "Moi Avenue 1", "tax_number": "P053"},
        ),
    ]


@pytest.mark.parametrize(
    ("field_name", "text"),
    [
        ("company", "x" * 121),
        ("address", "x" * 201),
        ("tax_number", "x" * 41),
        ("company", "Kijani\x00"),
        ("tax_number", "P05\u202e2"),
    ],
)
def test_what_cannot_be_printed_names_its_field(office: Office, field_name: str, text: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        office.put_on_receipts(**{field_name: text})

    assert refused.value.param == field_name
    with office.store.begin() as tx:
        assert tx.teams.find(office.team_id).buyer.is_empty


def test_a_team_that_is_renamed_or_deleted_keeps_what_its_receipts_name(office: Office) -> None:
    buyer = office.put_on_receipts().buyer
    office.keep.rename(office.team_id, "Kijani", by="eshe")
    office.keep.delete(office.team_id, "Kijani", by="amina")

    # A payment that was on its way is still receipted, to the company that made it.
    with office.store.begin() as tx:
        assert tx.teams.find(office.team_id).buyer == buyer


def test_only_who_manages_sees_invitations_and_acts(office: Office) -> None:
    office.invite()

    admin, viewer = (office.views.show(office.team_id, to=name) for name in ("eshe", "chiku"))

    assert (len(admin.invitations), len(viewer.invitations)) == (1, 0)
    assert admin.acts
    assert not viewer.acts
    assert len(viewer.members) == len(ROLES)


def test_who_has_left_is_told_of_no_balance_any_more(office: Office) -> None:
    with office.store.begin() as tx:
        wallet = tx.ledger.find_wallet_of(office.team_id)
        tx.low_balance.save(
            LowBalanceWatch(wallet_id=wallet.id, person_id="eshe", threshold=Credits.of(500))
        )
        tx.commit()

    office.members.leave(office.team_id, "eshe")

    assert office.store.committed.low_balance[wallet.id].person_id == "amina"


def test_a_new_team_has_the_limits_of_new_accounts(office: Office) -> None:
    limits = KeyLimits(max_parallel=3)
    keep = replace(office.keep, account_limits=limits)

    team = keep.create("baraka", "Limited")
    key, _ = office.keys.issue(team.id, name="laptop", holder_id="baraka")

    assert key.account_limits == limits


def test_a_blocked_team_is_seen_and_left_and_nothing_else(office: Office) -> None:
    office.keys.issue(office.team_id, name="laptop", holder_id="daudi")

    revoked = office.blocks.block(office.team_id, reason="chargebacks", actor=ACTOR)

    assert revoked == 1
    with pytest.raises(NotPermittedError, match="This team is blocked"):
        office.keys.issue(office.team_id, name="another", holder_id="daudi")
    with pytest.raises(NotPermittedError, match="This team is blocked"):
        office.keep.rename(office.team_id, "Another", by="amina")
    assert office.views.show(office.team_id, to="chiku").team.blocked
    office.members.leave(office.team_id, "chiku")
    office.blocks.unblock(office.team_id, reason="settled", actor=ACTOR)
    office.keys.issue(office.team_id, name="another", holder_id="daudi")
    assert [act for act in office.acts() if "blocked" in act] == ["team.blocked", "team.unblocked"]


def test_blocking_a_team_takes_a_reason_and_stops_its_top_ups(office: Office) -> None:
    with office.store.begin() as tx:
        wallet = tx.ledger.find_wallet_of(office.team_id)
        tx.top_ups.save(
            TopUpOrder(
                wallet_id=wallet.id,
                person_id="amina",
                card_id="card-1",
                threshold=Credits.of(100),
                value=Money(500, "USD"),
                currency="USD",
                per_day=1,
                monthly_cap=Money(1000, "USD"),
                changed_at=office.clock.now(),
            )
        )
        tx.commit()
    with pytest.raises(InvalidRequestError, match="has a reason"):
        office.blocks.block(office.team_id, reason=" ")

    for _ in range(2):
        office.blocks.block(office.team_id, reason="chargebacks")

    with office.store.begin() as tx:
        order = tx.top_ups.find(wallet.id)
    assert order is not None
    assert (order.state, order.reason) == (TopUpState.STOPPED, "The team is blocked.")


@pytest.mark.parametrize("who", ROLES)
def test_what_others_spend_is_seen_by_admins_and_owners_alone(office: Office, who: str) -> None:
    members = office.views.show(office.team_id, to=who).members

    seen = {row.person.id for row in members if row.spending is not None}
    assert seen == (set(ROLES) if who in {"amina", "eshe"} else {who})
