"""The activity log: who did what to what, from where. Alerts are kept apart from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from creditcore.domain.jobs import storable_text


class Act(StrEnum):
    """What was done, as ``object.verb``."""

    SIGNED_IN = "person.signed_in"
    SIGN_IN_FAILED = "person.sign_in_failed"
    PROOF_FAILED = "person.proof_failed"
    SIGNED_OUT = "person.signed_out"
    SESSION_ENDED = "person.session_ended"
    SESSIONS_ENDED = "person.sessions_ended"
    PASSWORD_CHANGED = "person.password_changed"  # noqa: S105 - the name of an act
    PASSWORD_SET = "person.password_set"  # noqa: S105 - the name of an act
    EMAIL_CHANGE_ASKED = "person.email_change_asked"
    EMAIL_CHANGED = "person.email_changed"
    SECOND_FACTOR_ADDED = "person.second_factor_added"
    SECOND_FACTOR_REMOVED = "person.second_factor_removed"
    RECOVERY_CODES_RENEWED = "person.recovery_codes_renewed"
    WAY_IN_CONNECTED = "person.way_in_connected"
    WAY_IN_DISCONNECTED = "person.way_in_disconnected"
    ACCOUNT_JOINED = "person.account_joined"
    """They sign in by an account of the identity provider that has an id of its own."""
    ACCOUNT_CLOSED = "person.account_closed"
    PERSON_INVITED = "person.invited"
    PERSON_BANNED = "person.banned"
    PERSON_UNBANNED = "person.unbanned"
    PERSON_BLOCKED = "person.blocked"
    PERSON_UNBLOCKED = "person.unblocked"
    ROLE_CHANGED = "person.role_changed"
    ACCOUNT_VIEWED = "person.account_viewed"
    VIEWING_ENDED = "person.viewing_ended"
    CREDITS_GRANTED = "credits.granted"
    PAYMENT_CREDITED = "payment.credited"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_DISMISSED = "payment.dismissed"
    CARD_SAVED = "card.saved"
    CARD_REMOVED = "card.removed"
    TOP_UP_TURNED_ON = "top_up.turned_on"
    TOP_UP_TURNED_OFF = "top_up.turned_off"
    TOP_UP_STOPPED = "top_up.stopped"
    REFUND_REQUESTED = "refund.requested"
    REFUND_FAILED = "refund.failed"
    REFUND_BEGUN_ELSEWHERE = "refund.begun_elsewhere"
    PAYMENT_DISPUTED = "payment.disputed"
    DEBT_CLEARED = "debt.cleared"
    DOCUMENT_STAMPED = "document.stamped"
    STAMP_REPLACED = "document.stamp_replaced"
    KEY_ISSUED = "key.issued"
    KEY_CHANGED = "key.changed"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    KEY_STOPPED = "key.stopped"
    ACCOUNT_LIMITED = "account.limited"
    TEAM_CREATED = "team.created"
    TEAM_RENAMED = "team.renamed"
    TEAM_RECEIPTS_CHANGED = "team.receipts_changed"
    """What its receipts name from then on."""
    TEAM_DELETED = "team.deleted"
    TEAM_BLOCKED = "team.blocked"
    TEAM_UNBLOCKED = "team.unblocked"
    MEMBER_INVITED = "member.invited"
    INVITATION_SENT = "invitation.sent_again"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_DECLINED = "invitation.declined"
    MEMBER_JOINED = "member.joined"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_LIMITED = "member.limited"
    MEMBER_LEFT = "member.left"
    MEMBER_REMOVED = "member.removed"
    OWNERSHIP_TRANSFERRED = "team.ownership_transferred"
    JOB_RETRIED = "job.retried"
    JOB_DISCARDED = "job.discarded"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    AUDIT_ORDERED = "books.audit_ordered"
    MAIL_RELEASED = "mail.released"
    HEALED = "system.healed"
    PRICE_RULE_ADDED = "price_rule.added"
    PRICE_RULE_ENDED = "price_rule.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and from where.

    Attributes:
        id: A person's id, or the name of what is no person.
        address: The network address of the request; empty where there was none.
        user_agent: What the browser or program called itself.
    """

    id: str
    address: str = ""
    user_agent: str = ""

    @classmethod
    def at(cls, person_id: str, *, address: str | None, user_agent: str | None) -> Self:
        """Return a person who acts through a request, whose words may be anything."""
        return cls(
            id=person_id,
            address=storable_text(address or ""),
            user_agent=storable_text(user_agent or ""),
        )


COMMAND_LINE = Actor(id="command line")
"""An operator at a terminal of ours, by no name."""

PAYMENT_PROVIDER = Actor(id="payment provider")
"""What began on the provider's dashboard, or at a payer's bank."""

SYSTEM = Actor(id="system")
"""The gateway itself, or a program that embeds the library."""

VISITOR = "visitor"
"""The id of an actor who has not shown yet who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One act. It is never changed and never deleted.

    Attributes:
        act: An ``Act``; text, so that a later version's acts can be read too.
        target: What it was done to, as ``kind:id``.
        person_id: Whose account it concerns, a person's or a team's; empty where it is none's.
        before: The fields that the act changed, as they were. No secrets.
        after: The same fields as they are now, and the reason where there is one.
        number: Counts all acts; given by the store.
    """

    actor: Actor
    act: str
    target: str
    at: datetime
    person_id: str = ""
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    number: int = 0
