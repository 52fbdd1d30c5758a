"""What is wrong between variables that are each fine."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

from adapters.flask_web.settings.sandbox import SANDBOX_LITELLM_KEY, SANDBOX_SUPABASE_KEY

_PLACEHOLDER = "replace-me"
# Of 32 random hexadecimal digits, fewer are distinct less than once in a billion times.
_MIN_DISTINCT_CHARACTERS = 7
_PAYSTACK_DOMAIN = "paystack.co"
_MIN_WEBHOOK_SECRET_BYTES = 24
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def contradictions(values: dict[str, Any]) -> list[str]:
    """Return a sentence for each contradiction between settings, by field."""
    faults = _rate_faults(values)
    if max(values["credit_plans"]) > values["max_purchase_usd"]:
        faults.append("CREDIT_PLANS lists more than MAX_PURCHASE_USD.")
    if values["supabase_url"]:
        faults += _unfit_for_supabase(values)
    if not values["postgres_url"] and values["web_concurrency"] != 1:
        faults.append("WEB_CONCURRENCY above 1 needs POSTGRES_URL: SQLite serves one process.")
    if bool(values["mail_url"]) != bool(values["mail_from"]):
        faults.append("MAIL_URL and MAIL_FROM go together: the server, and who mails come from.")
    if values["alert_email"] and not values["mail_url"]:
        faults.append("ALERT_EMAIL needs MAIL_URL: there is no mail server to send alerts by.")
    if bool(values["alert_webhook_url"]) != bool(values["alert_webhook_secret"]):
        faults.append("ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET go together.")
    if values["alert_webhook_secret"] and not _is_webhook_secret(values["alert_webhook_secret"]):
        faults.append(
            "ALERT_WEBHOOK_SECRET is whsec_ and 24 bytes or more in Base64: "
            'echo "whsec_$(openssl rand -base64 32)"'
        )
    if values["mail_url"] and not _is_mail_server(values["mail_url"]):
        faults.append("MAIL_URL is a host, perhaps with a port, as in smtps://user:password@host.")
    if values["app_env"] == "production":
        faults += _unfit_for_production(values)
    return faults


def _rate_faults(values: dict[str, Any]) -> list[str]:
    faults = []
    main, rates = values["paystack_currency"], values["currency_rates"]
    by_file = sorted(code for code, rate in rates.items() if rate is None)
    if by_file and values["currency_rates_file"] is None:
        faults.append(f"CURRENCY_RATES_FILE is needed for the rate of {', '.join(by_file)}.")
    if main not in ("USD", *rates) and not (main == "KES" and values["usd_to_kes_rate"]):
        name = "USD_TO_KES_RATE" if main == "KES" else "CURRENCY_RATES"
        faults.append(f"{name} is needed when PAYSTACK_CURRENCY is {main}.")
    return faults


def _unfit_for_supabase(values: dict[str, Any]) -> list[str]:
    faults = [
        f"{name.upper()} is needed with SUPABASE_URL."
        for name in ("supabase_anon_key", "supabase_service_role_key")
        if not values[name]
    ]
    if values["supabase_url"].endswith("/auth/v1"):
        faults.append("SUPABASE_URL is the project's address, without /auth/v1.")
    if str(values["supabase_anon_key"]).startswith("sb_secret_"):
        faults.append("SUPABASE_ANON_KEY is a secret key: use the publishable one.")
    if str(values["supabase_service_role_key"]).startswith("sb_publishable_"):
        faults.append("SUPABASE_SERVICE_ROLE_KEY is the publishable key: use a secret one.")
    if values["app_env"] == "production":
        if not _is_https(values["supabase_url"]):
            faults.append("SUPABASE_URL starts with https:// in production.")
        if values["supabase_service_role_key"] == SANDBOX_SUPABASE_KEY:
            faults.append("SUPABASE_SERVICE_ROLE_KEY is the sandbox's.")
    return faults


def _unfit_for_production(values: dict[str, Any]) -> list[str]:
    faults = []
    if not _is_https(values["base_url"]):
        faults.append("BASE_URL starts with https:// in production.")
    if urlsplit(values["base_url"]).username is not None:
        faults.append("BASE_URL has no user name or password: every page would show it.")
    # What is missing was said already.
    if values["auth_secret"] and len(set(values["auth_secret"])) < _MIN_DISTINCT_CHARACTERS:
        faults.append("AUTH_SECRET repeats itself; make one with: openssl rand -hex 32")
    if not _is_of_paystack(values["paystack_base_url"]):
        faults.append(
            "PAYSTACK_BASE_URL is an https address of paystack.co in production: a payment that "
            "another server confirms would give credits away."
        )
    paystack_key = str(values["paystack_secret_key"])
    if paystack_key and not paystack_key.startswith("sk_live_"):
        faults.append(
            "PAYSTACK_SECRET_KEY starts with sk_live_ in production: a test key would give credits "
            "away."
        )
    if values["litellm_master_key"] == SANDBOX_LITELLM_KEY:
        faults.append("LITELLM_MASTER_KEY is the sandbox's.")
    if _says_password_in_clear(values["mail_url"]):
        faults.append(
            "MAIL_URL would send its password in clear text; use smtps:// or smtp+starttls://."
        )
    return faults + [
        f"{name.upper()} is still what .env.example says, for all to read."
        for name in ("auth_secret", "litellm_master_key", "paystack_secret_key")
        if _PLACEHOLDER in str(values[name])
    ]


def _is_webhook_secret(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return False
    return secret.startswith("whsec_") and len(key) >= _MIN_WEBHOOK_SECRET_BYTES


def _is_mail_server(address: str) -> bool:
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.path in ("", "/") and not parts.query and not parts.fragment


def _says_password_in_clear(address: str) -> bool:
    if not _is_mail_server(address):
        return False
    parts = urlsplit(address)
    return parts.scheme == "smtp" and bool(parts.password) and parts.hostname not in _LOOPBACK


def _is_of_paystack(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return _is_https(address) and f".{host}".endswith(f".{_PAYSTACK_DOMAIN}")


def _is_https(address: str) -> bool:
    return address.lower().startswith("https://")
