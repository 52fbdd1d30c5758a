"""The operator's command line, ``flask --app wsgi ...``: one module for each noun."""

from __future__ import annotations

from flask import Flask

from adapters.flask_web.cli.activity import activity
from adapters.flask_web.cli.alerts import alerts
from adapters.flask_web.cli.audit import audit
from adapters.flask_web.cli.debt import debt
from adapters.flask_web.cli.demo_data import demo_data
from adapters.flask_web.cli.doctor import doctor
from adapters.flask_web.cli.error_messages import guarded
from adapters.flask_web.cli.grant import grant
from adapters.flask_web.cli.jobs import jobs
from adapters.flask_web.cli.key import key
from adapters.flask_web.cli.limits import limits
from adapters.flask_web.cli.mail import mail
from adapters.flask_web.cli.migrate import migrate
from adapters.flask_web.cli.monitor import monitor
from adapters.flask_web.cli.prices import prices
from adapters.flask_web.cli.reconcile import reconcile
from adapters.flask_web.cli.reconcile_usage import reconcile_usage
from adapters.flask_web.cli.refund import refund
from adapters.flask_web.cli.reseal import reseal
from adapters.flask_web.cli.review import review
from adapters.flask_web.cli.sales import sales
from adapters.flask_web.cli.stamps import stamps
from adapters.flask_web.cli.team import team
from adapters.flask_web.cli.usage import usage
from adapters.flask_web.cli.user import user
from adapters.flask_web.cli.worker import worker

_COMMANDS = (
    migrate,
    worker,
    audit,
    alerts,
    grant,
    refund,
    debt,
    review,
    sales,
    stamps,
    reconcile,
    doctor,
    reseal,
    user,
    key,
    limits,
    team,
    prices,
    usage,
    reconcile_usage,
    demo_data,
    activity,
    jobs,
    mail,
    monitor,
)


def register(app: Flask, *, fault: Exception | None = None) -> None:
    """Add every command to the ``flask`` command line; with a fault, only for their help."""
    for command in _COMMANDS:
        app.cli.add_command(guarded(command, fault))
