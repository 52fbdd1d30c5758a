"""What happened to an account, for its owner: sign-ins, failures, changes of its protection."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from creditcore.domain.activity import Act, Activity, Actor
from creditcore.domain.errors import CreditcoreError, InvalidRequestError
from creditcore.domain.people import clean_email
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import HasClaims
from creditcore.ports.transactions import Begins, PeopleTransaction

_log = logging.getLogger(__name__)

SECURITY_ACTS = frozenset(
    {
        Act.SIGNED_IN,
        Act.SIGN_IN_FAILED,
        Act.PROOF_FAILED,
        Act.SIGNED_OUT,
        Act.SESSION_ENDED,
        Act.SESSIONS_ENDED,
        Act.PASSWORD_CHANGED,
        Act.PASSWORD_SET,
        Act.EMAIL_CHANGE_ASKED,
        Act.EMAIL_CHANGED,
        Act.SECOND_FACTOR_ADDED,
        Act.SECOND_FACTOR_REMOVED,
        Act.RECOVERY_CODES_RENEWED,
        Act.WAY_IN_CONNECTED,
        Act.WAY_IN_DISCONNECTED,
        Act.ACCOUNT_JOINED,
        Act.PERSON_BANNED,
        Act.PERSON_UNBANNED,
        Act.PERSON_BLOCKED,
        Act.PERSON_UNBLOCKED,
        Act.ROLE_CHANGED,
        Act.KEY_ISSUED,
        Act.KEY_CHANGED,
        Act.KEY_ROTATED,
        Act.KEY_REVOKED,
    }
)
"""What people are shown of their own account."""

FAILURES_NOTED = 10
FAILURE_WINDOW = timedelta(hours=1)
"""Of the failures of an account, so many are noted within so long: acts are kept for ever, and
strangers must not be able to fill the log. Limits on guessing do not depend on it.
"""

_CLAIMS_FORGOTTEN = 20


class SecurityLogTransaction(PeopleTransaction, HasClaims, Protocol):
    """What noting sign-ins reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityLog:
    """Note what happened to an account, and read it."""

    transactions: Begins[SecurityLogTransaction]
    clock: Clock

    def note(self, act: Act, person_id: str, *, actor: Actor, **details: object) -> None:
        """Note an act of which the identity provider has said already that it is done.

        It never fails: its caller may have ten recovery codes to show, this once.

        Args:
            act: One of ``SECURITY_ACTS``.
            person_id: Whose account it is.
            actor: Who did it, from where.
            details: What else the owner should know. No secrets.
        """
        try:
            with self.transactions.begin() as tx:
                self._add(tx, act, person_id, actor, details)
                tx.commit()
        except CreditcoreError:
            _log.exception("%s of %s is missing in the activity log", act, person_id)

    def note_failure(self, act: Act, person_id: str, *, actor: Actor, **details: object) -> None:
        """Note a failed attempt on an account, so many an hour; it never fails."""
        now = self.clock.now()
        try:
            with self.transactions.begin() as tx:
                name = f"noted-failure:{person_id}"
                until = now + FAILURE_WINDOW
                tx.claims.forget(now=now, limit=_CLAIMS_FORGOTTEN)
                if tx.claims.take(name, now=now, until=until, places=FAILURES_NOTED):
                    self._add(tx, act, person_id, actor, details)
                tx.commit()
        except CreditcoreError:
            _log.exception("%s of %s is missing in the activity log", act, person_id)

    def note_failed_sign_in(self, email: str, *, actor: Actor, step: str) -> None:
        """Note that an address and a password did not let in, if the address has an account.

        It takes longer where there is one: call it after the visitor has the answer.
        """
        try:
            with self.transactions.begin() as tx:
                person = tx.people.find_by_email(clean_email(email))
        except InvalidRequestError:
            return
        except CreditcoreError:
            _log.exception("a failed sign-in is missing in the activity log")
            return
        if person is not None:
            self.note_failure(Act.SIGN_IN_FAILED, person.id, actor=actor, step=step)

    def recent(
        self, person_id: str, *, limit: int, before: int | None = None
    ) -> Sequence[Activity]:
        """Return what happened to an account, the latest first.

        Args:
            person_id: Whose.
            limit: How much at most.
            before: The number of the last act of the page before.
        """
        with self.transactions.begin() as tx:
            return tx.activity.recent(
                limit=limit, before=before, person_id=person_id, acts=SECURITY_ACTS
            )

    def _add(
        self,
        tx: SecurityLogTransaction,
        act: Act,
        person_id: str,
        actor: Actor,
        details: dict[str, object],
    ) -> None:
        tx.activity.add(
            Activity(
                actor=actor,
                act=act,
                target=f"person:{person_id}",
                person_id=person_id,
                after=details,
                at=self.clock.now(),
            )
        )
