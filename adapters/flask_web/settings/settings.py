"""Everything the operator can set, each setting in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self
from urllib.parse import urlsplit

from adapters.flask_web.settings import values
from adapters.flask_web.settings.contradictions import contradictions
from adapters.flask_web.settings.faults import SettingsError
from adapters.flask_web.settings.sandbox import SANDBOX_PAYSTACK_KEY
from adapters.flask_web.settings.variables import (
    address,
    checked,
    mapping_variable,
    number,
    one_of,
    read,
    secret,
    switch,
    text,
    url,
    variable,
)
from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.documents import parse_tax_rates
from creditcore.domain.fiscal_stamps import parse_stamp_rules
from creditcore.domain.identities import Method
from creditcore.domain.limits import NO_LIMITS, KeyLimits
from creditcore.domain.limits_text import parse_limits
from creditcore.domain.money import Credits, ExchangeRate, Money
from creditcore.domain.pricing import Tariff
from creditcore.domain.sale_terms import SaleTerms

_HOLD_MARGIN_S = 60
_LEAST_ROOM_BYTES = 4 * 1024 * 1024
_MAX_WRITE_S = 30
_MAX_CONNECT_S = 11
_MAX_DRAIN_S = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``.env.example`` documents, in the same order. Secrets never show in ``repr``."""

    app_env: str = variable(one_of("development", "production"), default="development")
    base_url: str = variable(url, default="http://localhost:8000")
    auth_secret: str = variable(secret, hidden=True)
    auth_secret_previous: str = variable(text, default="", hidden=True)

    postgres_url: str = variable(address("postgresql", "postgres"), default="", hidden=True)
    data_dir: Path = variable(Path, default=Path("var"))
    web_concurrency: int = variable(number(least=1, most=256), default=1)

    supabase_url: str = variable(url, default="")
    supabase_anon_key: str = variable(text, default="", hidden=True)
    supabase_service_role_key: str = variable(text, default="", hidden=True)
    google_client_id: str = variable(text, default="")
    github_client_id: str = variable(text, default="")
    supabase_linking: bool = variable(switch, default=False)

    paystack_secret_key: str = variable(text, hidden=True)
    paystack_secret_key_previous: str = variable(text, default="", hidden=True)
    paystack_public_key: str = variable(text, default="")
    paystack_base_url: str = variable(url, default="https://api.paystack.co")
    paystack_currency: str = variable(one_of(*CURRENCIES), default="USD")
    usd_to_kes_rate: ExchangeRate | None = variable(checked(values.kes_rate), default=None)
    currency_rates: Mapping[str, ExchangeRate | None] = mapping_variable(
        checked(values.currency_rates)
    )
    currency_rates_file: Path | None = variable(Path, default=None)
    currency_rates_max_age_hours: int = variable(number(least=1, most=720), default=24)
    credit_plans: tuple[int, ...] = variable(checked(values.plans), default=(5, 15, 20))
    max_purchase_usd: int = variable(number(least=2, most=100_000), default=1_000)
    daily_purchase_limit_usd: int = variable(number(least=2, most=10_000_000), default=2_000)
    monthly_purchase_limit_usd: int = variable(number(least=2, most=100_000_000), default=10_000)
    mobile_merchant_name: str = variable(text, default="Paystack")
    webhook_retention_days: int = variable(number(least=7, most=3_650), default=90)
    paystack_function_name: str = variable(checked(values.path_segment), default="")
    post_payment_redirect_path: str = variable(
        checked(values.local_path), default="/dashboard/billing"
    )

    litellm_base_url: str = variable(url)
    litellm_master_key: str = variable(text, hidden=True)
    litellm_keys: str = variable(one_of("auto", "mirror", "shared"), default="auto")
    litellm_direct_token: str = variable(secret, default="", hidden=True)
    max_stream_seconds: int = variable(number(least=5, most=7200), default=600)
    first_token_seconds: int = variable(number(least=1, most=7200), default=600)
    max_streams: int = variable(number(least=1, most=1000), default=900)
    fast_parser: bool = variable(switch, default=True)
    keep_answers: bool = variable(switch, default=True)
    new_key_limits: KeyLimits = variable(checked(parse_limits), default=NO_LIMITS)
    account_limits: KeyLimits = variable(checked(parse_limits), default=NO_LIMITS)

    mail_url: str = variable(address("smtp", "smtps", "smtp+starttls"), default="", hidden=True)
    mail_from: str = variable(checked(values.sender), default="")
    confirm_addresses: str = variable(one_of("auto", "yes", "no"), default="auto")
    site_name: str = variable(checked(values.line), default="creditcore")
    site_logo: str = variable(checked(values.link), default="")
    landing_title: str = variable(checked(values.line), default="")
    landing_text: str = variable(checked(values.line), default="")
    support_email: str = variable(checked(values.email), default="")
    support_url: str = variable(checked(values.link), default="")
    terms_url: str = variable(checked(values.link), default="")
    privacy_url: str = variable(checked(values.link), default="")

    redis_url: str = variable(
        address("redis", "rediss", "redis+unix", "redis+sentinel", "redis+cluster"),
        default="",
        hidden=True,
    )
    trusted_proxy_count: int = variable(number(least=0, most=10), default=0)
    metrics_token: str = variable(text, default="", hidden=True)
    alert_email: tuple[str, ...] = variable(checked(values.emails), default=())
    alert_webhook_url: str = variable(url, default="", hidden=True)
    alert_webhook_secret: str = variable(text, default="", hidden=True)
    alert_quiet_minutes: int = variable(number(least=1, most=1440), default=15)
    # Judged where they are used: for a wrong one there are no traces, and all else works.
    otel_exporter_otlp_endpoint: str = variable(text, default="")
    otel_exporter_otlp_traces_endpoint: str = variable(text, default="")

    company_name: str = variable(checked(values.line), default="")
    company_address: str = variable(checked(values.line), default="")
    tax_number: str = variable(checked(values.line), default="")
    tax_rates: Mapping[str, int] = mapping_variable(checked(parse_tax_rates))
    fiscal_stamps: Mapping[str, datetime] = mapping_variable(checked(parse_stamp_rules))

    credits_per_usd: str = variable(checked(values.ratio_above_zero), default="2")
    usage_markup: str = variable(checked(values.ratio_above_zero), default="1.0")
    signup_credits: Credits = variable(checked(values.credits_), default=Credits.of(200))
    signup_credits_per_day: Credits = variable(checked(values.credits_), default=Credits.of(20_000))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; an empty variable counts as missing.

        Raises:
            SettingsError: With every fault at once.
        """
        found, faults = read(cls, environ)
        faults += contradictions(found)
        if faults:
            raise SettingsError(faults)
        return cls(**found)

    @property
    def is_production(self) -> bool:
        """Whether real people's money goes through here."""
        return self.app_env == "production"

    @property
    def is_sandbox(self) -> bool:
        """Whether payments go to the stand-in that ``make run`` starts."""
        return self.paystack_secret_key == SANDBOX_PAYSTACK_KEY

    @property
    def confirms_addresses(self) -> bool:
        """Whether new accounts of our own wait for a mail; those of the sandbox need not."""
        wanted = self.confirm_addresses
        return bool(self.mail_url) and (
            wanted == "yes" or (wanted == "auto" and not self.is_sandbox)
        )

    @property
    def sends_traces(self) -> bool:
        """Whether OpenTelemetry has an address for spans; it reads its other settings itself."""
        return bool(self.otel_exporter_otlp_endpoint or self.otel_exporter_otlp_traces_endpoint)

    @property
    def mirrors_keys(self) -> bool:
        """Whether LiteLLM is to have a copy of each key, where it has a database."""
        return self.litellm_keys != "shared"

    @property
    def sign_in_methods(self) -> frozenset[Method]:
        """Google and GitHub, as far as their buttons are to be shown."""
        shown = {Method.GOOGLE: self.google_client_id, Method.GITHUB: self.github_client_id}
        return frozenset(method for method, client_id in shown.items() if client_id)

    @property
    def sign_in_hosts(self) -> tuple[str, ...]:
        """Where signing in with Google or GitHub leads through, as addresses without a path."""
        if not self.supabase_url:
            return ()
        parts = urlsplit(self.supabase_url)
        hosts = [f"{parts.scheme}://{parts.netloc}"]
        if self.google_client_id:
            hosts.append("https://accounts.google.com")
        if self.github_client_id:
            hosts.append("https://github.com")
        return tuple(hosts)

    @property
    def store_url(self) -> str:
        """Where the books are kept: PostgreSQL where it is set, else a file."""
        return self.postgres_url or f"sqlite:///{self.data_dir.resolve() / 'creditcore.db'}"

    @property
    def uses_sqlite(self) -> bool:
        """Whether the books are a file that one process has to itself."""
        return not self.postgres_url

    @property
    def sale_terms(self) -> SaleTerms:
        """What is sold, in the default currency first."""
        also = ("KES",) if self.usd_to_kes_rate else ()
        codes = dict.fromkeys((self.paystack_currency, *also, *self.currency_rates))
        return SaleTerms(
            currencies=tuple(codes),
            credits_per_usd=self.credits_per_usd,
            plans=tuple(map(_usd, self.credit_plans)),
            max_value=_usd(self.max_purchase_usd),
            daily_limit=_usd(self.daily_purchase_limit_usd),
            monthly_limit=_usd(self.monthly_purchase_limit_usd),
        )

    @property
    def fixed_rates(self) -> tuple[ExchangeRate, ...]:
        """The rates that the operator set by hand; CURRENCY_RATES counts before the older name."""
        listed = [rate for rate in self.currency_rates.values() if rate is not None]
        older = [] if "KES" in self.currency_rates else [self.usd_to_kes_rate]
        return tuple(rate for rate in (*listed, *older) if rate is not None)

    @property
    def tariff(self) -> Tariff:
        """What usage costs in credits."""
        return Tariff.parse(credits_per_usd=self.credits_per_usd, markup=self.usage_markup)

    def make_data_dir(self) -> None:
        """Make the folder of the books, where they are a file, and of the journals.

        Raises:
            SettingsError: It cannot be made.
        """
        try:
            # Passwords' hashes and payments are in there.
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            fault = f"DATA_DIR cannot be {str(self.data_dir)!r}: {error.strerror}."
            raise SettingsError([fault]) from error

    def data_dir_fault(self) -> str | None:
        """Return why nothing can be written to ``data_dir``; None where it can."""
        try:
            with TemporaryFile(dir=self.data_dir) as file:
                file.write(bytes(_LEAST_ROOM_BYTES))
        except OSError as error:
            return f"DATA_DIR cannot be written: {str(self.data_dir)!r}: {error.strerror}."
        return None

    @property
    def longest_write_s(self) -> float:
        """How long a client may leave us waiting to write to it, in seconds."""
        return min(_MAX_WRITE_S, self.max_stream_seconds)

    @property
    def hold_lifetime(self) -> timedelta:
        """When no process can be working on a call any more.

        A call may wait for a connection, then as long as a stream may take for the first
        byte, then ``longest_write_s`` for a client that does not read, and at last for the
        usage. What others wait is spelled here again; a test compares.
        """
        around_s = _MAX_CONNECT_S + self.max_stream_seconds + _MAX_DRAIN_S
        return timedelta(seconds=self.max_stream_seconds + min(_HOLD_MARGIN_S, around_s))


def _usd(whole: int) -> Money:
    return Money(whole * 100, "USD")
