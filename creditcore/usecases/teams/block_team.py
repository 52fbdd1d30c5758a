"""Shut a team out: no key, no call, no purchase, until an operator says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from creditcore.domain.activity import SYSTEM, Act, Actor
from creditcore.domain.books import Footprint
from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasKeys, HasTeams, HasTopUps
from creditcore.ports.transactions import Begins, GrantTransaction
from creditcore.usecases.teams.membership_terms import locked_team, note, revoke_all_keys


class BlockTeamTransaction(GrantTransaction, HasKeys, HasTeams, HasTopUps, Protocol):
    """What blocking a team reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTeam:
    """Block teams and let them in again; both are kept in the activity log.

    Members keep their own accounts, still see the team, and may leave it. Its keys are revoked,
    which is final. A call under way ends as it would have, and a payment that arrives is
    credited.
    """

    transactions: Begins[BlockTeamTransaction]
    clock: Clock

    def block(self, team_id: str, *, reason: str, actor: Actor = SYSTEM) -> int:
        """Revoke the keys and stop automatic top-ups; return how many keys that were.

        A repeat revokes nothing more, and keeps its reason too.

        Raises:
            InvalidRequestError: No reason is given.
            TeamNotFoundError: There is no such team, or it was deleted.
        """
        if not reason.strip():
            raise InvalidRequestError("A block has a reason.", param="reason")
        now = self.clock.now()
        with self.transactions.begin() as tx:
            # Making a key locks the team too: it comes first and is revoked, or is refused.
            team = locked_team(tx, team_id)
            wallet = tx.ledger.find_wallet_of(team.id)
            tx.ledger.lock(Footprint(wallet_ids={wallet.id}))
            if (order := tx.top_ups.lock(wallet.id)) is not None:
                tx.top_ups.save(order.stop("The team is blocked.", at=now))
            revoked = revoke_all_keys(tx, team, at=now)
            tx.teams.save(replace(team, blocked=True))
            note(
                tx,
                Act.TEAM_BLOCKED,
                team,
                actor=actor,
                at=now,
                before={"blocked": team.blocked},
                after={"blocked": True, "reason": reason.strip(), "keys_revoked": revoked},
            )
            tx.commit()
        return revoked

    def unblock(self, team_id: str, *, reason: str = "", actor: Actor = SYSTEM) -> None:
        """Let the members act again, and make new keys; a reason is kept where one is given.

        Raises:
            TeamNotFoundError: There is no such team, or it was deleted.
        """
        with self.transactions.begin() as tx:
            team = locked_team(tx, team_id)
            tx.teams.save(replace(team, blocked=False))
            note(
                tx,
                Act.TEAM_UNBLOCKED,
                team,
                actor=actor,
                at=self.clock.now(),
                before={"blocked": team.blocked},
                after={"blocked": False} | ({"reason": reason.strip()} if reason.strip() else {}),
            )
            tx.commit()
