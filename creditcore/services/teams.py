"""The use cases of teams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.usecases.jobs.send_mail import SendMail
from creditcore.usecases.teams.block_team import BlockTeam
from creditcore.usecases.teams.change_members import ChangeMembers
from creditcore.usecases.teams.invite_members import InviteMembers
from creditcore.usecases.teams.keep_teams import KeepTeams
from creditcore.usecases.teams.read_teams import ReadTeams


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamServices:
    """From a team that is made to the last member who leaves."""

    keep: KeepTeams
    members: ChangeMembers
    invitations: InviteMembers
    views: ReadTeams
    blocks: BlockTeam

    @classmethod
    def of(cls, ports: Ports, rules: Rules, *, mails: SendMail) -> Self:
        """Build them."""
        store, clock = ports.transactions, ports.clock
        return cls(
            keep=KeepTeams(
                transactions=store,
                clock=clock,
                ids=ports.ids,
                account_limits=rules.account_limits,
            ),
            members=ChangeMembers(transactions=store, clock=clock),
            invitations=InviteMembers(
                transactions=store,
                clock=clock,
                ids=ports.ids,
                pepper=rules.pepper,
                base_url=rules.base_url,
                deliver=mails.deliver,
            ),
            views=ReadTeams(transactions=store, clock=clock),
            blocks=BlockTeam(transactions=store, clock=clock),
        )
