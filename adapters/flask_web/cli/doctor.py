"""Check the configuration and what it points to."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from datetime import timedelta

import click
from flask.cli import with_appcontext
from limits.storage import storage_from_string

from adapters.flask_web.cli.text import counted
from adapters.flask_web.context import services, settings
from creditcore.domain.errors import BadCredentialsError, CreditcoreError
from creditcore.domain.mirrors import SyncStatus
from creditcore.domain.pricing import IMAGE_COUNTS

_MAX_NAMED = 10
_REDIS_S = 2.0
_STAMPED_WITHIN = timedelta(days=1)
"""Nigeria wants to hear of a sale to a person within 24 hours."""


@click.command()
@with_appcontext
def doctor() -> None:
    """Check the configuration and what it points to; exit 1 if something needs care."""
    failed = 0
    for name, fault in _examine():
        click.echo(
            f"{'ok  ' if fault is None else 'FAIL'}  {name}" + (f": {fault}" if fault else "")
        )
        failed += fault is not None
    sys.exit(1 if failed else 0)


def _examine() -> list[tuple[str, str | None]]:
    found = settings()
    store = "PostgreSQL" if found.postgres_url else f"SQLite in {found.data_dir}"
    checks: list[tuple[str, str | None]] = [
        (f"configuration ({found.app_env}, checkout in {found.paystack_currency})", None),
        (f"data folder ({found.data_dir})", found.data_dir_fault()),
    ]
    try:
        pending = services().pending_migrations()
    except CreditcoreError as error:
        checks.append((f"database ({store})", str(error)))
        return checks
    checks.append((f"database ({store})", None))
    fault = f"run 'flask --app wsgi migrate' ({len(pending)} pending)" if pending else None
    checks.append(("schema", fault))
    if not pending:
        checks += [_examine_prices(), *_examine_images()]
        checks += [_examine_seals(), *_examine_stamps()]
    healthy = services().model_gateway.is_healthy()
    fault = None if healthy else f"{found.litellm_base_url} does not answer"
    checks.append(("LiteLLM", fault))
    if healthy:
        checks.append(_examine_models())
        checks.append(_examine_mirrors())
    if found.supabase_url:
        checks += _examine_supabase()
    checks += [_examine_payments(), *_examine_public_key(), _examine_mail(), _examine_contact()]
    checks.append(_examine_rates())
    if found.sends_traces:
        checks.append(("traces (to OpenTelemetry)", services().traces.fault()))
    return checks


def _examine_rates() -> tuple[str, str | None]:
    """Say whether processes share what keys use of their limits per minute."""
    url = settings().redis_url
    if not url:
        return "limits per minute (each process counts; set REDIS_URL to share the count)", None
    storage = storage_from_string(url, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S)
    fault = None if storage.check() else "Redis does not answer; each process counts by itself"
    return "limits per minute (shared through Redis)", fault


def _examine_prices() -> tuple[str, str | None]:
    count = len(services().calls.prices.all())
    return (
        f"price list ({counted(count, 'models')})",
        None if count else "empty; the worker fetches it",
    )


def _examine_images() -> list[tuple[str, str | None]]:
    """Name the models that take images and of which it is not known how they count them."""
    seeing = [price for price in services().calls.prices.all() if "vision" in price.features]
    unknown = [price.model for price in seeing if not price.features & IMAGE_COUNTS]
    if not unknown:
        return []
    held = "held as by the dearest model: no base_model says how these count them"
    return [(f"images ({held}: {_named(unknown)})", None)]


def _named(models: Sequence[str]) -> str:
    return ", ".join(models[:_MAX_NAMED]) + (", ..." if len(models) > _MAX_NAMED else "")


def _examine_seals() -> tuple[str, str | None]:
    """Say how much is still sealed with an earlier AUTH_SECRET, or with one that is lost."""
    counts = services().people.seals.count()
    faults = []
    for kind, count in counts.items():
        what = kind.replace("_", " ")
        if count.earlier:
            faults.append(
                f"{counted(count.earlier, what)} under AUTH_SECRET_PREVIOUS; run "
                "'flask --app wsgi reseal'"
            )
        if count.unreadable:
            faults.append(f"{counted(count.unreadable, what)} cannot be read with either secret")
    total = sum(count.newest for count in counts.values())
    return f"secrets at rest ({total:,} under AUTH_SECRET)", "; ".join(faults) or None


def _examine_stamps() -> list[tuple[str, str | None]]:
    """Say how many receipts and credit notes wait for a fiscal stamp, and whether too long."""
    since = settings().fiscal_stamps
    if not since:
        return []
    now, count, late = services().clock.now(), 0, 0
    for document in services().payments.stamps.waiting():
        count += 1
        late += document.issued_at < now - _STAMPED_WITHIN
    told = ", ".join(f"{currency} since {day:%Y-%m-%d}" for currency, day in since.items())
    fault = None
    if late:
        fault = f"{late:,} for more than a day; see 'flask --app wsgi stamps list'"
    return [(f"fiscal stamps ({told}; {counted(count, 'documents')} waiting)", fault)]


def _examine_models() -> tuple[str, str | None]:
    """Name the models that LiteLLM serves and that are not for sale."""
    try:
        unpriced = services().model_gateway.fetch_catalogue().unpriced
    except CreditcoreError as error:
        return "models", str(error)
    if not unpriced:
        return "models (all have a price)", None
    return f"models (not offered, since their price is unknown: {_named(unpriced)})", None


def _examine_mirrors() -> tuple[str, str | None]:
    """Say whether LiteLLM keeps copies of our keys, and how many are in line."""
    wanted = settings().litellm_keys
    if wanted == "shared":
        return "copies of keys at LiteLLM (none: LITELLM_KEYS=shared)", None
    try:
        keeps = services().keys.mirrors.upstream.can_keep()
    except CreditcoreError as error:
        return "copies of keys at LiteLLM", str(error)
    if not keeps:
        lacking = "it has no database; set LITELLM_KEYS=shared or give it one"
        return "copies of keys at LiteLLM (none)", lacking if wanted == "mirror" else None
    with services().transactions.begin() as tx:
        counts = tx.mirrors.counts()
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    failed = counts.get(SyncStatus.FAILED, 0)
    fault = f"{failed:,} could not be made; the worker's log says why" if failed else None
    return f"copies of keys at LiteLLM ({told or 'no keys yet'})", fault


def _examine_payments() -> tuple[str, str | None]:
    """Ask about a payment that cannot exist: any clear answer means that the key works."""
    name = f"Paystack ({'sandbox' if settings().is_sandbox else settings().paystack_base_url})"
    try:
        services().payment_gateway.verify("creditcore-doctor")
    except CreditcoreError as error:
        return name, str(error)
    return name, None


def _examine_public_key() -> list[tuple[str, str | None]]:
    """Say whether Paystack's two keys belong together, as far as their names tell."""
    public, secret = settings().paystack_public_key, settings().paystack_secret_key
    if not public:
        return []
    fault = None
    if not public.startswith(("pk_test_", "pk_live_")):
        # A secret key there is worth hiding: its text is never shown.
        fault = "PAYSTACK_PUBLIC_KEY begins with pk_test_ or pk_live_; this one does not"
    elif public[3:8] != secret[3:8]:
        fault = (
            f"PAYSTACK_PUBLIC_KEY is a {public[3:7]} key, PAYSTACK_SECRET_KEY is none: take both "
            "from one mode of the dashboard"
        )
    return [("Paystack's public key", fault)]


def _examine_supabase() -> list[tuple[str, str | None]]:
    """Ask about a person who cannot exist, with either key: a clear answer means that it works."""
    nobody = "doctor@creditcore.invalid"
    checks: list[tuple[str, str | None]] = []
    name = f"Supabase Auth ({settings().supabase_url})"
    try:
        services().identity.sign_in(nobody, secrets.token_urlsafe())
    except BadCredentialsError:
        checks.append((name, None))
    except CreditcoreError:
        checks.append((name, "no clear answer; check SUPABASE_URL, SUPABASE_ANON_KEY and captcha"))
    try:
        services().operators.find(nobody)
        fault = None
    except CreditcoreError:
        fault = "no clear answer; check SUPABASE_SERVICE_ROLE_KEY"
    checks.append(("Supabase Auth, as an operator", fault))
    return checks


def _examine_contact() -> tuple[str, str | None]:
    found = settings()
    if found.support_email or found.support_url:
        return f"contact ({found.support_email or found.support_url})", None
    told = "contact (customers find none: SUPPORT_EMAIL and SUPPORT_URL are not set)"
    return told, None if found.app_env == "development" else "needed in production"


def _examine_mail() -> tuple[str, str | None]:
    mailer = services().operations.mails.mailer
    if mailer is None:
        told = "mail (none leaves: MAIL_URL and MAIL_FROM are not set)"
        if not settings().supabase_url:
            told = (
                "mail (none leaves: MAIL_URL and MAIL_FROM are not set. So addresses are not "
                "confirmed, no person recovers a password or changes an address by themself)"
            )
        return told, None if settings().app_env == "development" else "needed in production"
    try:
        mailer.check()
    except CreditcoreError as error:
        return "mail", str(error)
    return f"mail (from {settings().mail_from})", None
