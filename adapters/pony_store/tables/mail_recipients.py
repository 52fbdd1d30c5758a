"""Addresses that mails went to, in ``mail_recipients``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditcore.domain.mail import MailRecipient

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, tuples

MAIL_RECIPIENT_COLUMNS = ("address", "hour_began_at", "mails_in_hour", "refusal", "refused_at")
_COLUMNS = ", ".join(MAIL_RECIPIENT_COLUMNS)


def mail_recipient_values(recipient: MailRecipient) -> tuple[object, ...]:
    """Return a row of ``mail_recipients``."""
    return (
        recipient.address,
        micros(recipient.hour_began_at),
        recipient.mails_in_hour,
        recipient.refusal,
        micros_or_none(recipient.refused_at),
    )


def mail_recipient_from_row(row: Any) -> MailRecipient:
    """Return the recipient of a row."""
    return MailRecipient(
        address=row.address,
        hour_began_at=instant(row.hour_began_at),
        mails_in_hour=row.mails_in_hour,
        refusal=row.refusal,
        refused_at=instant_or_none(row.refused_at),
    )


class PonyMailRecipients:
    """An address has a row from its first mail on."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self, address: str) -> MailRecipient:
        values = mail_recipient_values(MailRecipient(address=address))
        self._session.change(
            f"INSERT INTO mail_recipients ({_COLUMNS}) VALUES {tuples([values])}"
            " ON CONFLICT DO NOTHING",
            values,
        )
        [row] = self._session.rows(
            f"SELECT {_COLUMNS} FROM mail_recipients WHERE address = ?"
            f"{self._session.engine.row_lock}",
            (address,),
        )
        return mail_recipient_from_row(row)

    def save(self, recipient: MailRecipient) -> None:
        address, *values = mail_recipient_values(recipient)
        self._session.change(
            "UPDATE mail_recipients"
            " SET hour_began_at = ?, mails_in_hour = ?, refusal = ?, refused_at = ?"
            " WHERE address = ?",
            (*values, address),
        )

    def refused(self, *, limit: int) -> Sequence[MailRecipient]:
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM mail_recipients WHERE refused_at IS NOT NULL"
            " ORDER BY refused_at DESC, address LIMIT ?",
            (limit,),
        )
        return [mail_recipient_from_row(row) for row in rows]
