"""People, their passwords, sessions and links."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class Profile(entity):
        _table_ = "profiles"
        id = PrimaryKey(str, autostrip=False)
        email = Required(str, unique=True, autostrip=False)
        role = Required(str)
        blocked = Required(bool)
        session_epoch = Required(int, size=64)
        created_at = Required(int, size=64)
        name = Optional(str, autostrip=False)
        timezone = Optional(str, autostrip=False)
        shown_currency = Optional(str, autostrip=False)
        subject = Optional(str, unique=True, nullable=True, autostrip=False)
        company = Optional(str, autostrip=False)
        address = Optional(str, autostrip=False)
        tax_number = Optional(str, autostrip=False)

    class WeeklySummary(entity):
        _table_ = "weekly_summaries"
        person_id = PrimaryKey(str, autostrip=False)
        due_at = Required(int, size=64)

    class LocalCredential(entity):
        _table_ = "local_credentials"
        profile_id = PrimaryKey(str, autostrip=False)
        password_hash = Optional(str, autostrip=False)
        confirmed_at = Optional(int, size=64)
        banned_until = Optional(int, size=64)
        totp_sealed = Required(bytes)
        totp_since = Optional(int, size=64)
        totp_step = Required(int, size=64)
        recovery_hashes = Optional(str, autostrip=False)
        new_email = Optional(str, autostrip=False)
        failures = Required(int, size=64)
        paused_until = Optional(int, size=64)

    class MailedLink(entity):
        _table_ = "mailed_links"
        id = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        person_id = Required(str, autostrip=False)
        email = Required(str, autostrip=False)
        created_at = Required(int, size=64)
        closed_at = Optional(int, size=64)

    class SignInFlow(entity):
        _table_ = "sign_in_flows"
        name = PrimaryKey(bytes)
        sealed = Required(bytes)
        expires_at = Required(int, size=64)

    class Session(entity):
        _table_ = "sessions"
        id = PrimaryKey(str, autostrip=False)
        secret_hash = Required(bytes, unique=True)
        person_id = Required(str, autostrip=False)
        epoch = Required(int, size=64)
        stage = Required(str)
        device = Optional(str, autostrip=False)
        place = Optional(str, autostrip=False)
        created_at = Required(int, size=64)
        last_seen_at = Required(int, size=64)
        proved_at = Required(int, size=64)
        provider_session_id = Optional(str, autostrip=False)
        subject = Optional(str, autostrip=False)
        sealed_grant = Required(bytes)
        good_until = Optional(int, size=64)
        refreshing_until = Optional(int, size=64)
        ended_at = Optional(int, size=64)

    class DailyGrant(entity):
        _table_ = "daily_grants"
        day = PrimaryKey(str, autostrip=False)
        granted = Required(int, size=64)
