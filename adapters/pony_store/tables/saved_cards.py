"""Cards in ``saved_cards``, and what their holders agreed to in ``card_consents``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from creditcore.domain.errors import CardNotFoundError, ReferenceConflictError
from creditcore.domain.saved_cards import CardConsent, ConsentPurpose, SavedCard

from ..instants import instant, instant_or_none, micros, micros_or_none
from ..session import Session, marks

_CARD = (
    "id",
    "owner_id",
    "email",
    "signature",
    "brand",
    "last4",
    "expires",
    "bank",
    "reference",
    "sealed",
    "saved_at",
    "removed_at",
)
_CONSENT = (
    "id",
    "person_id",
    "purpose",
    "subject",
    "text",
    "given_at",
    "address",
    "user_agent",
    "withdrawn_at",
)
_SELECT_CARDS = f"SELECT {', '.join(_CARD)} FROM saved_cards"
_SELECT_CONSENTS = f"SELECT {', '.join(_CONSENT)} FROM card_consents"
_SAVE_CARD = (
    f"INSERT INTO saved_cards ({', '.join(_CARD)}) VALUES ({marks(len(_CARD))})"
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CARD[4:])
)


class PonySavedCards:
    """Cards of people, with the code that charges them sealed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save(self, card: SavedCard) -> None:
        with self._session.translated(taken=ReferenceConflictError(card.id)):
            self._session.change(
                _SAVE_CARD,
                (
                    card.id,
                    card.owner_id,
                    card.email,
                    card.signature,
                    card.brand,
                    card.last4,
                    card.expires,
                    card.bank,
                    card.reference,
                    card.sealed,
                    micros(card.saved_at),
                    micros_or_none(card.removed_at),
                ),
            )

    def find(self, card_id: str, *, owner_id: str) -> SavedCard:
        return self._find(card_id, owner_id, "")

    def lock(self, card_id: str, *, owner_id: str) -> SavedCard:
        return self._find(card_id, owner_id, self._session.engine.row_lock)

    def of(self, owner_id: str) -> Sequence[SavedCard]:
        rows = self._session.rows(
            f"{_SELECT_CARDS} WHERE owner_id = ? AND removed_at IS NULL"
            " ORDER BY saved_at DESC, id DESC",
            (owner_id,),
        )
        return [_card_from_row(row) for row in rows]

    def sealed_after(self, card_id: str, *, limit: int) -> Sequence[SavedCard]:
        rows = self._session.rows(
            f"{_SELECT_CARDS} WHERE id > ? AND length(sealed) > 0 ORDER BY id LIMIT ?",
            (card_id, limit),
        )
        return [_card_from_row(row) for row in rows]

    def find_alike(self, owner_id: str, *, email: str, signature: str) -> SavedCard | None:
        rows = self._session.rows(
            f"{_SELECT_CARDS} WHERE owner_id = ? AND email = ? AND signature = ?",
            (owner_id, email, signature),
        )
        return _card_from_row(rows[0]) if rows else None

    def add_consent(self, consent: CardConsent) -> None:
        self._session.change(
            f"INSERT INTO card_consents ({', '.join(_CONSENT)}) VALUES ({marks(len(_CONSENT))})"
            " ON CONFLICT DO NOTHING",
            (
                consent.id,
                consent.person_id,
                consent.purpose.value,
                consent.subject,
                consent.text,
                micros(consent.given_at),
                consent.address,
                consent.user_agent,
                micros_or_none(consent.withdrawn_at),
            ),
        )

    def consent_to(self, purpose: ConsentPurpose, subject: str) -> CardConsent | None:
        rows = self._session.rows(
            f"{_SELECT_CONSENTS} WHERE purpose = ? AND subject = ? AND withdrawn_at IS NULL",
            (purpose.value, subject),
        )
        return _consent_from_row(rows[0]) if rows else None

    def withdraw(self, purpose: ConsentPurpose, subject: str, *, at: datetime) -> None:
        self._session.change(
            "UPDATE card_consents SET withdrawn_at = ?"
            " WHERE purpose = ? AND subject = ? AND withdrawn_at IS NULL",
            (micros(at), purpose.value, subject),
        )

    def consents_of(self, person_id: str) -> Sequence[CardConsent]:
        rows = self._session.rows(
            f"{_SELECT_CONSENTS} WHERE person_id = ? ORDER BY given_at DESC, id DESC", (person_id,)
        )
        return [_consent_from_row(row) for row in rows]

    def _find(self, card_id: str, owner_id: str, row_lock: str) -> SavedCard:
        rows: list[Any] = []
        if "\0" not in card_id:
            # No database keeps such a name.
            rows = self._session.rows(
                f"{_SELECT_CARDS} WHERE id = ? AND owner_id = ?{row_lock}", (card_id, owner_id)
            )
        if not rows:
            raise CardNotFoundError(card_id)
        return _card_from_row(rows[0])


def _card_from_row(row: Any) -> SavedCard:
    return SavedCard(
        id=row.id,
        owner_id=row.owner_id,
        email=row.email,
        signature=row.signature,
        brand=row.brand,
        last4=row.last4,
        expires=row.expires,
        bank=row.bank,
        reference=row.reference,
        sealed=bytes(row.sealed),
        saved_at=instant(row.saved_at),
        removed_at=instant_or_none(row.removed_at),
    )


def _consent_from_row(row: Any) -> CardConsent:
    return CardConsent(
        id=row.id,
        person_id=row.person_id,
        purpose=ConsentPurpose(row.purpose),
        subject=row.subject,
        text=row.text,
        given_at=instant(row.given_at),
        address=row.address,
        user_agent=row.user_agent,
        withdrawn_at=instant_or_none(row.withdrawn_at),
    )
