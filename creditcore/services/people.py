"""The use cases of people and their accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from creditcore.services.ports import Ports
from creditcore.services.rules import Rules
from creditcore.usecases.payments.keep_cards import KeepCards
from creditcore.usecases.people.block_person import BlockPerson
from creditcore.usecases.people.change_profile import ChangeProfile
from creditcore.usecases.people.close_account import CloseAccount
from creditcore.usecases.people.grant_role import GrantRole
from creditcore.usecases.people.keep_flows import KeepFlows
from creditcore.usecases.people.keep_sessions import KeepSessions
from creditcore.usecases.people.manage_access import ManageAccess
from creditcore.usecases.people.move_accounts import MoveAccounts
from creditcore.usecases.people.reseal_secrets import ResealSecrets
from creditcore.usecases.people.security_log import SecurityLog
from creditcore.usecases.people.session_grants import SessionGrants
from creditcore.usecases.people.view_account import ViewAccount
from creditcore.usecases.people.welcome_person import WelcomePerson


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleServices:
    """From a first welcome to a closed account.

    Attributes:
        mover: Moves local accounts, where there is somewhere to move to.
    """

    welcome: WelcomePerson
    sessions: KeepSessions
    access: ManageAccess
    security_log: SecurityLog
    flows: KeepFlows
    profiles: ChangeProfile
    roles: GrantRole
    blocks: BlockPerson
    viewings: ViewAccount
    closing: CloseAccount
    mover: MoveAccounts | None
    seals: ResealSecrets

    @classmethod
    def of(cls, ports: Ports, rules: Rules, *, cards: KeepCards) -> Self:
        """Build them."""
        store, clock, vault = ports.transactions, ports.clock, ports.vault
        sessions = KeepSessions(
            transactions=store,
            clock=clock,
            ids=ports.ids,
            provider=ports.identity,
            grants=SessionGrants(
                transactions=store, clock=clock, vault=vault, provider=ports.identity
            ),
        )
        return cls(
            welcome=WelcomePerson(
                transactions=store,
                clock=clock,
                ids=ports.ids,
                signup_credits=rules.signup_credits,
                credits_per_day=rules.signup_credits_per_day,
                account_limits=rules.account_limits,
            ),
            sessions=sessions,
            access=ManageAccess(
                transactions=store, clock=clock, operators=ports.operators, sessions=sessions
            ),
            security_log=SecurityLog(transactions=store, clock=clock),
            flows=KeepFlows(transactions=store, clock=clock, vault=vault),
            profiles=ChangeProfile(transactions=store, currencies=rules.profile_currencies),
            roles=GrantRole(transactions=store, clock=clock),
            blocks=BlockPerson(transactions=store, clock=clock),
            viewings=ViewAccount(transactions=store, clock=clock),
            closing=CloseAccount(
                transactions=store,
                clock=clock,
                operators=ports.operators,
                before_leaving=(cards.remove_all_in,),
            ),
            mover=MoveAccounts(transactions=store, clock=clock, target=ports.account_import)
            if ports.account_import
            else None,
            seals=ResealSecrets(transactions=store, vault=vault),
        )
