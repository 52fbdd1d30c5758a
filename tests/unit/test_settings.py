"""The settings: every fault at once, no secret shown, production held to more."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from adapters.flask_web.settings import Settings, SettingsError
from creditcore.domain.identities import Method
from creditcore.domain.limits import KeyLimits
from creditcore.domain.limits_text import limits_text

GOOD = {
    "AUTH_SECRET": "s" * 32,
    "PAYSTACK_SECRET_KEY": "sk_live_something",
    "LITELLM_BASE_URL": "http://litellm:4000",
    "LITELLM_MASTER_KEY": "sk-master",
}
PRODUCTION = {
    **GOOD,
    "AUTH_SECRET": "0f6b1c8d2e9a7453b8c1d0e2f3a49576",
    "APP_ENV": "production",
    "BASE_URL": "https://ai.example.co.ke",
    "POSTGRES_URL": "postgresql://db/creditcore",
}


def faults_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return caught.value.faults


def test_a_few_settings_are_enough() -> None:
    settings = Settings.from_env(GOOD)

    assert settings.base_url == "http://localhost:8000"
    assert settings.uses_sqlite
    assert settings.store_url.endswith("/var/creditcore.db")
    assert str(settings.signup_credits) == "200"


def test_a_client_that_does_not_read_is_waited_for_no_longer_than_a_stream_may_take() -> None:
    assert Settings.from_env(GOOD).longest_write_s == 30
    assert Settings.from_env({**GOOD, "MAX_STREAM_SECONDS": "5"}).longest_write_s == 5


def test_every_missing_variable_is_reported_at_once() -> None:
    faults = " ".join(faults_of({}))

    assert all(name in faults for name in GOOD)


def test_secrets_do_not_show() -> None:
    settings = Settings.from_env({**GOOD, "POSTGRES_URL": "postgresql://u:hush@db/x"})

    for secret in ("s" * 32, "sk_live_something", "sk-master", "hush"):
        assert secret not in repr(settings)


@pytest.mark.parametrize("name", ["POSTGRES_URL", "REDIS_URL", "MAIL_URL"])
def test_a_password_in_an_address_does_not_show_when_it_is_refused(name: str) -> None:
    [fault] = faults_of({**GOOD, **SENDER, name: "tcp://user:hush@host"})

    assert "hush" not in fault


def test_one_fault_is_one() -> None:
    said = r"^The configuration has a fault; .*\n  - BASE_URL .*$"
    with pytest.raises(SettingsError, match=said):
        Settings.from_env({**GOOD, "BASE_URL": "here"})


def test_a_redis_may_be_reached_in_its_own_ways() -> None:
    for url in ("redis://h:6379/0", "rediss://h", "redis+sentinel://h:26379/main"):
        assert Settings.from_env({**GOOD, "REDIS_URL": url}).redis_url == url


def test_the_folder_of_the_books_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "var"

    Settings.from_env({**GOOD, "DATA_DIR": str(folder)}).make_data_dir()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_server_has_a_folder_too_for_the_journals(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    environ = {**GOOD, "DATA_DIR": str(folder), "POSTGRES_URL": "postgresql://db/creditcore"}

    Settings.from_env(environ).make_data_dir()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "prod"),
        ("BASE_URL", "localhost:8000"),
        ("BASE_URL", "http://localhost:99999"),
        ("BASE_URL", "http://[::1"),
        ("AUTH_SECRET", "too short"),
        ("PAYSTACK_CURRENCY", "NGN"),
        ("USD_TO_KES_RATE", "0"),
        ("USD_TO_KES_RATE", "1e3"),
        ("USD_TO_KES_RATE", "NaN"),
        ("PAYSTACK_FUNCTION_NAME", "../admin"),
        ("POST_PAYMENT_REDIRECT_PATH", "//evil.example"),
        ("LITELLM_BASE_URL", "file:///etc/passwd"),
        ("POSTGRES_URL", "mysql://db/creditcore"),
        ("POSTGRES_URL", "postgresql"),
        ("REDIS_URL", "localhost:6379"),
        ("MAX_STREAM_SECONDS", "forever"),
        ("MAX_STREAM_SECONDS", "-1"),
        ("MAX_STREAMS", "0"),
        ("MAX_STREAMS", "1001"),
        ("MAX_STREAMS", "unlimited"),
        ("WEB_CONCURRENCY", "0"),
        ("CREDITS_PER_USD", "-2"),
        ("USAGE_MARKUP", "Infinity"),
        ("SIGNUP_CREDITS", "-1"),
        ("SIGNUP_CREDITS", "0.0000001"),
        ("FISCAL_STAMPS", "KES"),
        ("FISCAL_STAMPS", "KES=2026-02-30"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    [fault] = faults_of({**GOOD, name: value})

    assert name in fault


def test_kes_needs_a_rate() -> None:
    [fault] = faults_of({**GOOD, "PAYSTACK_CURRENCY": "KES"})

    assert "USD_TO_KES_RATE" in fault


def test_several_processes_need_postgresql() -> None:
    [fault] = faults_of({**GOOD, "WEB_CONCURRENCY": "2"})

    assert "POSTGRES_URL" in fault


SUPABASE = {
    **GOOD,
    "SUPABASE_URL": "https://project.supabase.co",
    "SUPABASE_ANON_KEY": "sb_publishable_0123456789",
    "SUPABASE_SERVICE_ROLE_KEY": "sb_secret_0123456789",
}


def test_supabase_takes_both_of_its_keys() -> None:
    settings = Settings.from_env(SUPABASE)

    assert settings.sign_in_hosts == ("https://project.supabase.co",)
    assert "0123456789" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPABASE_URL", "project.supabase.co"),
        ("SUPABASE_URL", "https://project.supabase.co/auth/v1"),
        ("SUPABASE_ANON_KEY", ""),
        ("SUPABASE_ANON_KEY", "sb_secret_0123456789"),
        ("SUPABASE_SERVICE_ROLE_KEY", ""),
        ("SUPABASE_SERVICE_ROLE_KEY", "sb_publishable_0123456789"),
    ],
)
def test_a_project_that_cannot_work_is_a_fault(name: str, value: str) -> None:
    [fault] = faults_of({**SUPABASE, name: value})

    assert name in fault


def test_buttons_show_where_the_operator_wants_them() -> None:
    settings = Settings.from_env({**SUPABASE, "GITHUB_CLIENT_ID": "x"})

    assert settings.sign_in_methods == {Method.GITHUB}
    assert "https://github.com" in settings.sign_in_hosts
    assert "https://accounts.google.com" not in settings.sign_in_hosts


def test_production_takes_good_settings() -> None:
    assert Settings.from_env(PRODUCTION).is_production


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "http://ai.example.co.ke"),
        ("PAYSTACK_BASE_URL", "http://localhost:8001/paystack"),
        ("BASE_URL", "https://user:password@ai.example.co.ke"),
        ("PAYSTACK_BASE_URL", "https://127.0.0.1:8001"),
        ("PAYSTACK_BASE_URL", "https://evil.example"),
        ("PAYSTACK_BASE_URL", "https://notpaystack.co"),
        ("PAYSTACK_SECRET_KEY", "sk_test_sandbox"),
        ("PAYSTACK_SECRET_KEY", "SK_TEST_x"),
        ("PAYSTACK_SECRET_KEY", "x"),
        ("AUTH_SECRET", "a" * 32),
        ("AUTH_SECRET", "abcdef" * 8),
        ("LITELLM_MASTER_KEY", "sk-sandbox-master"),
        ("LITELLM_MASTER_KEY", "sk-replace-me"),
        ("AUTH_SECRET", "replace-me-with-64-random-hex-characters-0000000000000000000000"),
    ],
)
def test_production_refuses_what_is_meant_for_trying(name: str, value: str) -> None:
    [fault] = faults_of({**PRODUCTION, name: value})

    assert name in fault


def test_what_is_missing_in_production_is_said_once() -> None:
    faults = faults_of({"APP_ENV": "production"})

    about = [fault for fault in faults if fault.startswith(("AUTH_SECRET", "PAYSTACK_SECRET_KEY"))]
    assert about == ["AUTH_SECRET is missing.", "PAYSTACK_SECRET_KEY is missing."]


def test_limits_are_written_on_one_line() -> None:
    line = "spend=500/month@Africa/Nairobi rpm=60 tpm=100000 parallel=5"
    settings = Settings.from_env({**GOOD, "NEW_KEY_LIMITS": line, "ACCOUNT_LIMITS": "rpm=600"})

    assert limits_text(settings.new_key_limits) == line
    assert settings.account_limits == KeyLimits(rpm=600)


@pytest.mark.parametrize(
    "line",
    [
        "rpm",
        "rpm=",
        "rpm=0",
        "rpm=x",
        "rpm=1 rpm=2",
        "models=x",
        "spend=x",
        "spend=1/year",
        "spend=1/day@Nowhere",
        "parallel=\u0661",
    ],
)
def test_limits_that_mean_nothing_are_named(line: str) -> None:
    [fault] = faults_of({**GOOD, "ACCOUNT_LIMITS": line})

    assert fault.startswith("ACCOUNT_LIMITS cannot be")
    assert ".." not in fault


SENDER = {"MAIL_URL": "smtps://u:p@mail.example", "MAIL_FROM": "Jua, Nairobi <no-reply@jua.ke>"}


def test_mail_is_a_server_and_a_sender_together() -> None:
    settings = Settings.from_env({**GOOD, **SENDER})

    assert settings.mail_from == '"Jua, Nairobi" <no-reply@jua.ke>'
    assert "u:p" not in repr(settings)
    for name in SENDER:
        assert faults_of({**GOOD, **SENDER, name: ""}) == [
            "MAIL_URL and MAIL_FROM go together: the server, and who mails come from."
        ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAIL_URL", "http://mail.example"),
        ("MAIL_URL", "smtp://"),
        ("MAIL_URL", "smtp://mail.example:x"),
        ("MAIL_URL", "smtp://mail.example/path"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "Jua <nobody"),
        ("MAIL_FROM", "Jua\nBcc: x <a@b.ke>"),
        ("SITE_NAME", "x" * 201),
        ("SITE_NAME", "two\nlines"),
        ("SITE_LOGO", "javascript:alert(1)"),
        ("SUPPORT_EMAIL", "nobody"),
        ("SUPPORT_URL", "mailto:a@b.ke"),
        ("TERMS_URL", "//elsewhere.example"),
    ],
)
def test_whose_site_it_is_is_checked(name: str, value: str) -> None:
    [fault] = faults_of({**GOOD, **SENDER, name: value})

    assert name in fault


def test_production_says_no_mail_password_in_clear_text() -> None:
    mail = {**SENDER, "MAIL_URL": "smtp://u:hush@mail.example"}

    [fault] = faults_of({**PRODUCTION, **mail})
    assert "MAIL_URL" in fault
    assert "hush" not in fault
    for url in ("smtp://u:p@127.0.0.1", "smtp+starttls://u:p@mail.example", "smtp://mail.example"):
        Settings.from_env({**PRODUCTION, **mail, "MAIL_URL": url})
