"""Figures for Prometheus, for those who have the token."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, request

from adapters.flask_web.context import services, settings
from creditcore.domain.alerts import Severity
from creditcore.domain.periods import Span
from creditcore.ports.metrics import Gauge

_MAX_ALERTS = 1_000
_MAX_REVIEWS = 1_000
_DAY = timedelta(days=1)

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the figures of this host; without a token that is set, there is nothing here."""
    token = settings().metrics_token
    if not token:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(
        given.strip().encode(), token.encode()
    ):
        answer = Response("Send the METRICS_TOKEN as a bearer token.\n", 401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    return Response(services().metrics.scrape(_gauges()), mimetype="text/plain")


def _gauges() -> Iterator[Gauge]:
    now = services().clock.now()
    with services().transactions.begin() as tx:
        backlog = tx.jobs.backlog()
        mirrors = tx.mirrors.counts()
        holds, inbox = tx.oversight.open_holds(), tx.oversight.inbox()
        alerts = Counter(
            str(alert.severity) for alert in tx.alerts.recent(limit=_MAX_ALERTS, only_open=True)
        )
        listed_at = tx.catalogue.listed_at()
        behind_since = tx.mirrors.behind_since()
        payments = tx.oversight.open_payments()
        reviews = len(tx.reviews.waiting(limit=_MAX_REVIEWS))
        takings = tx.oversight.takings(Span(now - _DAY, now))
    yield Gauge("creditcore_holds_open", "Calls that hold credits now.", holds.number)
    yield Gauge("creditcore_webhooks_waiting", "Webhooks not processed yet.", inbox.waiting)
    for severity in Severity:
        labels = (("severity", str(severity)),)
        yield Gauge("creditcore_alerts_open", "Alerts to look at.", alerts[str(severity)], labels)
    if listed_at is not None:
        age_s = (now - listed_at).total_seconds()
        yield Gauge("creditcore_prices_age_seconds", "Since prices were fetched.", age_s)
    yield Gauge(
        "creditcore_key_mirror_lag_seconds",
        "Since when the copy of a key waits that has waited longest.",
        _seconds_since(behind_since, now),
    )
    yield Gauge("creditcore_payments_pending", "Payments that were begun.", payments.number)
    yield Gauge(
        "creditcore_payments_pending_seconds",
        "Since when the first of them was begun.",
        _seconds_since(payments.oldest_at, now),
    )
    yield Gauge("creditcore_payments_to_review", "Payments that an operator decides.", reviews)
    for taken in takings:
        labels = (("currency", taken.currency),)
        help_ = "Payments credited in the last 24 hours."
        yield Gauge("creditcore_payments_credited_day", help_, taken.payments, labels)
    for kind in backlog:
        labels = (("kind", kind.kind),)
        yield Gauge("creditcore_jobs_waiting", "Jobs that wait.", kind.waiting, labels)
        yield Gauge("creditcore_jobs_dead", "Jobs that were given up.", kind.dead, labels)
    for status, count in mirrors.items():
        labels = (("status", str(status)),)
        yield Gauge("creditcore_key_mirrors", "Copies of keys at LiteLLM.", count, labels)


def _seconds_since(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
