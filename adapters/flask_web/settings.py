"""Everything the operator can set, read once from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import formataddr
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.documents import parse_tax_rates
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.identities import Method
from creditcore.domain.limits import NO_LIMITS, KeyLimits
from creditcore.domain.limits_text import parse_limits
from creditcore.domain.money import Credits, ExchangeRate, Money
from creditcore.domain.people import clean_email
from creditcore.domain.pricing import Tariff
from creditcore.domain.sale_terms import SaleTerms

SANDBOX_PAYSTACK_KEY = "sk_test_sandbox"
SANDBOX_LITELLM_KEY = "sk-sandbox-master"
SANDBOX_SUPABASE_KEY = "sb_secret_sandbox"

_PLACEHOLDER = "replace-me"
_MIN_SECRET_LENGTH = 32
_MAX_LINE_LENGTH = 200
# Of 32 random hexadecimal digits, fewer are distinct less than once in a billion times.
_MIN_DISTINCT_CHARACTERS = 7
_PAYSTACK_DOMAIN = "paystack.co"
_HOLD_MARGIN_S = 60
_LONGEST_WRITE_S = 30
_LONGEST_CONNECT_S = 11
_LONGEST_DRAIN_S = 4
_NO_TAX: dict[str, int] = {}
_SIGNUP_CREDITS = Credits.of(200)
_SIGNUP_CREDITS_PER_DAY = Credits.of(20_000)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MAIL_SCHEMES = ("smtp", "smtps", "smtp+starttls")
_REDIS_SCHEMES = ("redis", "rediss", "redis+unix", "redis+sentinel", "redis+cluster")

_NO_RATES: Mapping[str, ExchangeRate | None] = MappingProxyType({})
_PLANS_USD: tuple[int, ...] = (5, 15, 20)
_MIN_PLAN_USD = 2
_MAX_PLANS = 8
_PLAN_DIGITS = 6

Value = TypeVar("Value")


class SettingsError(Exception):
    """The environment cannot be used.

    Attributes:
        faults: One sentence for each bad variable, all of them.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        listed = "\n".join(f"  - {fault}" for fault in faults)
        many = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(
            f"The configuration has {many}; .env.example explains each variable.\n{listed}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``.env.example`` documents, in the same order. Secrets never show in ``repr``."""

    app_env: str = "development"
    base_url: str = "http://localhost:8000"
    auth_secret: str = field(repr=False)

    postgres_url: str = field(default="", repr=False)
    data_dir: Path = Path("var")
    web_concurrency: int = 1

    supabase_url: str = ""
    supabase_anon_key: str = field(default="", repr=False)
    supabase_service_role_key: str = field(default="", repr=False)
    google_client_id: str = ""
    github_client_id: str = ""

    paystack_secret_key: str = field(repr=False)
    paystack_secret_key_previous: str = field(default="", repr=False)
    paystack_public_key: str = ""
    paystack_base_url: str = "https://api.paystack.co"
    paystack_currency: str = "USD"
    usd_to_kes_rate: ExchangeRate | None = None
    currency_rates: Mapping[str, ExchangeRate | None] = field(default_factory=dict)
    currency_rates_file: Path | None = None
    currency_rates_max_age_hours: int = 24
    credit_plans: tuple[int, ...] = _PLANS_USD
    max_purchase_usd: int = 1_000
    daily_purchase_limit_usd: int = 2_000
    monthly_purchase_limit_usd: int = 10_000
    mobile_merchant_name: str = "Paystack"
    webhook_retention_days: int = 90
    paystack_function_name: str = ""
    post_payment_redirect_path: str = "/dashboard/billing"

    litellm_base_url: str
    litellm_master_key: str = field(repr=False)
    litellm_keys: str = "auto"
    litellm_direct_token: str = field(default="", repr=False)
    max_stream_seconds: int = 600
    first_token_seconds: int = 600
    max_streams: int = 900
    keep_answers: bool = True
    new_key_limits: KeyLimits = NO_LIMITS
    account_limits: KeyLimits = NO_LIMITS

    mail_url: str = field(default="", repr=False)
    mail_from: str = ""
    confirm_addresses: str = "auto"
    site_name: str = "creditcore"
    site_logo: str = ""
    support_email: str = ""
    support_url: str = ""
    terms_url: str = ""
    privacy_url: str = ""

    redis_url: str = field(default="", repr=False)
    trusted_proxy_count: int = 0
    metrics_token: str = field(default="", repr=False)

    company_name: str = ""
    company_address: str = ""
    tax_number: str = ""
    tax_rates: Mapping[str, int] = field(default_factory=dict)

    credits_per_usd: str = "2"
    usage_markup: str = "1.0"
    signup_credits: Credits = _SIGNUP_CREDITS
    signup_credits_per_day: Credits = _SIGNUP_CREDITS_PER_DAY

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; an empty variable counts as missing.

        Raises:
            SettingsError: With every fault at once.
        """
        reader = _Reader(environ)
        values: dict[str, Any] = {
            "app_env": reader.one_of("APP_ENV", "development", "production"),
            "base_url": reader.url("BASE_URL", "http://localhost:8000").rstrip("/"),
            "auth_secret": reader.secret("AUTH_SECRET"),
            "postgres_url": reader.address("POSTGRES_URL", "postgresql", "postgres"),
            "data_dir": Path(reader.text("DATA_DIR", "var")),
            "web_concurrency": reader.number("WEB_CONCURRENCY", 1, least=1, most=256),
            "supabase_url": reader.optional_url("SUPABASE_URL").rstrip("/"),
            "supabase_anon_key": reader.text("SUPABASE_ANON_KEY"),
            "supabase_service_role_key": reader.text("SUPABASE_SERVICE_ROLE_KEY"),
            "google_client_id": reader.text("GOOGLE_CLIENT_ID"),
            "github_client_id": reader.text("GITHUB_CLIENT_ID"),
            "paystack_secret_key": reader.required("PAYSTACK_SECRET_KEY"),
            "paystack_secret_key_previous": reader.text("PAYSTACK_SECRET_KEY_PREVIOUS"),
            "paystack_public_key": reader.text("PAYSTACK_PUBLIC_KEY"),
            "paystack_base_url": reader.url("PAYSTACK_BASE_URL", "https://api.paystack.co"),
            "paystack_currency": reader.one_of("PAYSTACK_CURRENCY", *CURRENCIES),
            "usd_to_kes_rate": reader.parsed("USD_TO_KES_RATE", None, _kes_rate),
            "currency_rates": reader.parsed("CURRENCY_RATES", _NO_RATES, _currency_rates),
            "currency_rates_file": reader.parsed("CURRENCY_RATES_FILE", None, Path),
            "currency_rates_max_age_hours": reader.number(
                "CURRENCY_RATES_MAX_AGE_HOURS", 24, least=1, most=720
            ),
            "credit_plans": reader.parsed("CREDIT_PLANS", _PLANS_USD, _plans),
            "max_purchase_usd": reader.number("MAX_PURCHASE_USD", 1_000, least=2, most=100_000),
            "daily_purchase_limit_usd": reader.number(
                "DAILY_PURCHASE_LIMIT_USD", 2_000, least=2, most=10_000_000
            ),
            "monthly_purchase_limit_usd": reader.number(
                "MONTHLY_PURCHASE_LIMIT_USD", 10_000, least=2, most=100_000_000
            ),
            "mobile_merchant_name": reader.text("MOBILE_MERCHANT_NAME", "Paystack"),
            "webhook_retention_days": reader.number(
                "WEBHOOK_RETENTION_DAYS", 90, least=7, most=3_650
            ),
            "paystack_function_name": reader.parsed("PAYSTACK_FUNCTION_NAME", "", _path_segment),
            "post_payment_redirect_path": reader.parsed(
                "POST_PAYMENT_REDIRECT_PATH", "/dashboard/billing", _local_path
            ),
            "litellm_base_url": reader.url("LITELLM_BASE_URL").rstrip("/"),
            "litellm_master_key": reader.required("LITELLM_MASTER_KEY"),
            "litellm_keys": reader.one_of("LITELLM_KEYS", "auto", "mirror", "shared"),
            "litellm_direct_token": reader.optional_secret("LITELLM_DIRECT_TOKEN"),
            "max_stream_seconds": reader.number("MAX_STREAM_SECONDS", 600, least=5, most=7200),
            "first_token_seconds": reader.number("FIRST_TOKEN_SECONDS", 600, least=1, most=7200),
            "max_streams": reader.number("MAX_STREAMS", 900, least=1, most=1000),
            "mail_url": reader.address("MAIL_URL", *_MAIL_SCHEMES),
            "mail_from": reader.parsed("MAIL_FROM", "", _sender),
            "confirm_addresses": reader.parsed("CONFIRM_ADDRESSES", "auto", _auto_or_switch),
            "site_name": reader.parsed("SITE_NAME", "creditcore", _line),
            "site_logo": reader.parsed("SITE_LOGO", "", _link),
            "support_email": reader.parsed("SUPPORT_EMAIL", "", _email),
            "support_url": reader.parsed("SUPPORT_URL", "", _link),
            "terms_url": reader.parsed("TERMS_URL", "", _link),
            "privacy_url": reader.parsed("PRIVACY_URL", "", _link),
            "keep_answers": reader.one_of("KEEP_ANSWERS", "on", "off") == "on",
            "new_key_limits": reader.parsed("NEW_KEY_LIMITS", NO_LIMITS, parse_limits),
            "account_limits": reader.parsed("ACCOUNT_LIMITS", NO_LIMITS, parse_limits),
            "redis_url": reader.address("REDIS_URL", *_REDIS_SCHEMES),
            "trusted_proxy_count": reader.number("TRUSTED_PROXY_COUNT", 0, least=0, most=10),
            "company_name": reader.parsed("COMPANY_NAME", "", _line),
            "company_address": reader.parsed("COMPANY_ADDRESS", "", _line),
            "tax_number": reader.parsed("TAX_NUMBER", "", _line),
            "tax_rates": reader.parsed("TAX_RATES", _NO_TAX, parse_tax_rates),
            "metrics_token": reader.text("METRICS_TOKEN"),
            "credits_per_usd": reader.parsed("CREDITS_PER_USD", "2", _ratio_above_zero),
            "usage_markup": reader.parsed("USAGE_MARKUP", "1.0", _ratio_above_zero),
            "signup_credits": reader.parsed("SIGNUP_CREDITS", _SIGNUP_CREDITS, _credits),
            "signup_credits_per_day": reader.parsed(
                "SIGNUP_CREDITS_PER_DAY", _SIGNUP_CREDITS_PER_DAY, _credits
            ),
        }
        reader.together("MAIL_URL", "MAIL_FROM", "the server, and who mails come from")
        faults = reader.faults + _contradictions(values)
        if faults:
            raise SettingsError(faults)
        return cls(**values)

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

    @property
    def longest_write_s(self) -> float:
        """How long a client may leave us waiting to write to it, in seconds."""
        return min(_LONGEST_WRITE_S, self.max_stream_seconds)

    @property
    def hold_lifetime(self) -> timedelta:
        """When nobody can be working on a call any more.

        A call may wait for a connection, then as long as a stream may take for the first
        byte, then ``longest_write_s`` for a client that does not read, and at last for the
        usage. What others wait is spelled here again; a test compares.
        """
        around_s = _LONGEST_CONNECT_S + self.max_stream_seconds + _LONGEST_DRAIN_S
        return timedelta(seconds=self.max_stream_seconds + min(_HOLD_MARGIN_S, around_s))


class _Reader:
    """Reads variables one by one and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            self.faults.append(f"{name} is missing.")
        return value

    def secret(self, name: str) -> str:
        value = self.required(name)
        if value and len(value) < _MIN_SECRET_LENGTH:
            self.faults.append(f"{name} needs at least {_MIN_SECRET_LENGTH} characters.")
        return value

    def optional_secret(self, name: str) -> str:
        return self.secret(name) if self.text(name) else ""

    def one_of(self, name: str, *choices: str) -> str:
        value = self.text(name, choices[0])
        if value not in choices:
            self.faults.append(f"{name} is one of {', '.join(choices)}; it is {value!r}.")
        return value

    def url(self, name: str, default: str = "") -> str:
        value = self.text(name, default)
        if not value:
            self.faults.append(f"{name} is missing.")
        elif not _is_http_address(value):
            self.faults.append(f"{name} is an http(s) address; it is {value!r}.")
        return value

    def optional_url(self, name: str) -> str:
        value = self.text(name)
        if value and not _is_http_address(value):
            self.faults.append(f"{name} is an http(s) address; it is {value!r}.")
        return value

    def address(self, name: str, *schemes: str) -> str:
        """Read where something else is; it is not shown, as it may hold a password."""
        value = self.text(name)
        if value and not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            self.faults.append(f"{name} begins with {schemes[0]}://.")
        return value

    def together(self, first: str, second: str, what: str) -> None:
        if bool(self.text(first)) != bool(self.text(second)):
            self.faults.append(f"{first} and {second} go together: {what}.")

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        def bounded(text: str) -> int:
            if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
                raise ValueError(f"a whole number from {least} to {most}")
            return int(text)

        return self.parsed(name, default, bounded)

    def parsed(self, name: str, default: Value, parse: Callable[[str], Value]) -> Value:
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            self.faults.append(f"{name} cannot be {value!r}: {error}.")
            return default


def _contradictions(values: dict[str, Any]) -> list[str]:
    """Return what is wrong between variables that are each fine."""
    faults = []
    faults += _rate_faults(values)
    if max(values["credit_plans"]) > values["max_purchase_usd"]:
        faults.append("CREDIT_PLANS lists more than MAX_PURCHASE_USD.")
    if values["supabase_url"]:
        faults += _unfit_for_supabase(values)
    if not values["postgres_url"] and values["web_concurrency"] != 1:
        faults.append("WEB_CONCURRENCY above 1 needs POSTGRES_URL: SQLite serves one process.")
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
    if len(set(values["auth_secret"])) < _MIN_DISTINCT_CHARACTERS:
        faults.append("AUTH_SECRET repeats itself; make one with: openssl rand -hex 32")
    if not _is_of_paystack(values["paystack_base_url"]):
        faults.append(
            "PAYSTACK_BASE_URL is an https address of paystack.co in production: a payment that "
            "another server confirms would give credits away."
        )
    if not str(values["paystack_secret_key"]).startswith("sk_live_"):
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


def _is_http_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # Reading the port tells whether it is one.
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.scheme in ("http", "https") and not parts.query


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


def _kes_rate(text: str) -> ExchangeRate:
    return ExchangeRate.parse(text, base="USD", quote="KES")


def _usd(whole: int) -> Money:
    return Money(whole * 100, "USD")


def _currency_rates(text: str) -> Mapping[str, ExchangeRate | None]:
    """Read ``KES=129.5,NGN=file``: a rate each, or that it stands in the file."""
    rates: dict[str, ExchangeRate | None] = {}
    for part in text.split(","):
        code, _, rate = (piece.strip() for piece in part.partition("="))
        if code not in CURRENCIES or code in rates or not rate:
            raise ValueError(f"one rate each of {', '.join(CURRENCIES)}, as in KES=129.5,NGN=1550")
        if code == "USD" and rate != "1":
            raise ValueError("a US dollar costs 1: USD=1 only says that it can be paid in too")
        from_file = rate == "file"
        rates[code] = None if from_file else ExchangeRate.parse(rate, base="USD", quote=code)
    return MappingProxyType(rates)


def _plans(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= _PLAN_DIGITS for part in parts):
        raise ValueError("whole US dollars, as in 5,15,20")
    plans = tuple(map(int, parts))
    if sorted(set(plans)) != list(plans) or plans[0] < _MIN_PLAN_USD or len(plans) > _MAX_PLANS:
        raise ValueError(
            f"up to {_MAX_PLANS} amounts from {_MIN_PLAN_USD}, each more than the one before"
        )
    return plans


def _ratio_above_zero(text: str) -> str:
    Tariff.parse(credits_per_usd=text)
    return text


def _auto_or_switch(text: str) -> str:
    if text not in {"auto", "yes", "no"}:
        raise ValueError("it is auto, yes or no")
    return text


def _credits(text: str) -> Credits:
    credits_ = Credits.parse(text)
    if credits_ < Credits(0):
        raise ValueError("it is not negative")
    return credits_


def _line(text: str) -> str:
    if not text.isprintable() or len(text) > _MAX_LINE_LENGTH:
        raise ValueError(f"one line of at most {_MAX_LINE_LENGTH} characters")
    return text


def _link(text: str) -> str:
    if text.startswith("/"):
        return _local_path(text)
    if not _is_http_address(text):
        raise ValueError("an http(s) address, or a path on this server")
    return text


def _email(text: str) -> str:
    try:
        return clean_email(text)
    except InvalidRequestError as error:
        raise ValueError("an e-mail address") from error


def _sender(text: str) -> str:
    # parseaddr() would take "Jua, Nairobi <a@b>" for two addresses.
    name, bracket, address = _line(text).rpartition("<")
    if not bracket:
        return _email(text)
    if not address.endswith(">"):
        raise ValueError("Name <address>, or an address")
    return formataddr((name.strip().strip('"'), _email(address[:-1])))


def _local_path(text: str) -> str:
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        raise ValueError("a path on this server, such as /dashboard/billing")
    return text


def _path_segment(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise ValueError("letters, digits, - and _")
    return text
