"""Saved cards, the consent to them, top-ups and low balances."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class SavedCard(entity):
        _table_ = "saved_cards"
        id = PrimaryKey(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        email = Required(str, autostrip=False)
        signature = Required(str, autostrip=False)
        brand = Optional(str, autostrip=False)
        last4 = Optional(str, autostrip=False)
        expires = Optional(str, autostrip=False)
        bank = Optional(str, autostrip=False)
        reference = Required(str, autostrip=False)
        sealed = Required(bytes)
        saved_at = Required(int, size=64)
        removed_at = Optional(int, size=64)

    class CardConsent(entity):
        _table_ = "card_consents"
        id = PrimaryKey(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        purpose = Required(str)
        subject = Required(str, autostrip=False)
        text = Required(str, autostrip=False)
        given_at = Required(int, size=64)
        address = Optional(str, autostrip=False)
        user_agent = Optional(str, autostrip=False)
        withdrawn_at = Optional(int, size=64)

    class TopUpOrder(entity):
        _table_ = "top_up_orders"
        wallet_id = PrimaryKey(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        card_id = Required(str, autostrip=False)
        threshold = Required(int, size=64)
        value_cents = Required(int, size=64)
        currency = Required(str)
        per_day = Required(int, size=64)
        monthly_cap_cents = Required(int, size=64)
        changed_at = Required(int, size=64)
        state = Required(str)
        reason = Optional(str, autostrip=False)
        pending = Optional(str, autostrip=False)
        begun = Required(int, size=64)
        rests_until = Optional(int, size=64)

    class TopUp(entity):
        _table_ = "top_ups"
        reference = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        number = Required(int, size=64)
        value_cents = Required(int, size=64)
        begun_at = Required(int, size=64)
        failed = Required(int, size=64)

    class LowBalanceWatch(entity):
        _table_ = "low_balance_watches"
        wallet_id = PrimaryKey(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        threshold = Required(int, size=64)
        below_since = Optional(int, size=64)
        crossings = Required(int, size=64)
