"""Jobs, claims, mail, and the logs that operators read."""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define(db: Any) -> None:
    """Define these tables on a Pony database."""
    entity: Any = db.Entity

    class Job(entity):
        _table_ = "jobs"
        kind = Required(str, autostrip=False)
        business_key = Required(str, autostrip=False)
        payload = Required(str, autostrip=False)
        run_at = Required(int, size=64)
        state = Required(str)
        attempts = Required(int, size=64)
        due_at = Optional(int, size=64)
        last_error = Optional(str, autostrip=False)
        closed_at = Optional(int, size=64)
        PrimaryKey(kind, business_key)

    class Claim(entity):
        _table_ = "claims"
        name = Required(str, autostrip=False)
        place = Required(int, size=64)
        until = Required(int, size=64)
        PrimaryKey(name, place)

    class MailRecipient(entity):
        _table_ = "mail_recipients"
        address = PrimaryKey(str, autostrip=False)
        hour_began_at = Required(int, size=64)
        mails_in_hour = Required(int, size=64)
        refusal = Optional(str, autostrip=False)
        refused_at = Optional(int, size=64)

    class ActivityLog(entity):
        _table_ = "activity_logs"
        number = PrimaryKey(int, size=64)
        actor_id = Required(str, autostrip=False)
        address = Optional(str, autostrip=False)
        user_agent = Optional(str, autostrip=False)
        act = Required(str)
        target = Required(str, autostrip=False)
        person_id = Optional(str, autostrip=False)
        before = Required(str, autostrip=False)
        after = Required(str, autostrip=False)
        at = Required(int, size=64)

    class MonitoringLog(entity):
        _table_ = "monitoring_logs"
        number = PrimaryKey(int, size=64)
        check_name = Required(str, autostrip=False)
        is_healthy = Required(bool)
        detail = Optional(str, autostrip=False)
        value = Optional(int, size=64)
        at = Required(int, size=64)

    class SystemAlert(entity):
        _table_ = "system_alerts"
        key = PrimaryKey(str, autostrip=False)
        resolved_at = Optional(int, size=64)
        acknowledged_at = Optional(int, size=64)
        acknowledged_by = Optional(str, autostrip=False, nullable=True)
        severity = Required(str)
        subject = Optional(str, autostrip=False)
        message = Optional(str, autostrip=False)
        at = Required(int, size=64)
