"""Mail through real SMTP: our sandbox's server, and another's with TLS and passwords."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from adapters.smtp_mail import JinjaTemplates, MailServer, SmtpMailer
from creditcore.domain.errors import (
    InvalidRequestError,
    MailRefusedError,
    MailTemplateError,
    MailUnavailableError,
)
from creditcore.domain.mail import Mail, MailContent
from creditcore.testing.memory import FixedClock
from sandbox.process import SandboxProcess
from tests.stack import reserved_port

TLS = Path(__file__).parents[1] / "data" / "tls" / "127.0.0.1.pem"
SITE = {
    "name": "Jua & Co",
    "base_url": "https://jua.example",
    "support_email": "help@jua.example",
    "support_url": "",
    "company_name": "Jua Ltd",
    "company_address": "Nairobi",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess.start() as sandbox:
        yield sandbox


@pytest.fixture
def mailer(sandbox: SandboxProcess) -> SmtpMailer:
    requests.post(f"{sandbox.base_url}/control/reset", timeout=60)
    return a_mailer(sandbox.mail_url)


def a_mailer(url: str, **more: Any) -> SmtpMailer:
    return SmtpMailer(
        server=MailServer.parse(url),
        sender='"Jua, the house" <no-reply@jua.example>',
        site="jua.example",
        clock=FixedClock(),
        **more,
    )


def a_mail(to: str = "amina@example.com", *, subject: str = "Ksh 1,290: stärker") -> Mail:
    content = MailContent(subject=subject, text="Habari\n.\n..\nAmína\n", html="<p>Habari</p>")
    return Mail(id="abc", to=to, content=content)


def mails(sandbox: SandboxProcess, to: str = "amina@example.com") -> list[dict[str, Any]]:
    answer = requests.get(f"{sandbox.base_url}/mailbox/mails.json", params={"to": to}, timeout=60)
    found: list[dict[str, Any]] = answer.json()
    return found


def set_faults(sandbox: SandboxProcess, **faults: object) -> None:
    requests.post(
        f"{sandbox.base_url}/control/mailbox/faults", json=faults, timeout=60
    ).raise_for_status()


def test_a_mail_arrives_as_it_was_written(sandbox: SandboxProcess, mailer: SmtpMailer) -> None:
    mailer.check()
    mailer.send(a_mail())

    [mail] = mails(sandbox)
    assert mail["to"] == ["amina@example.com"]
    assert mail["from"] == '"Jua, the house" <no-reply@jua.example>'
    assert mail["subject"] == "Ksh 1,290: stärker"
    assert mail["text"].replace("\r\n", "\n") == "Habari\n.\n..\nAmína\n"
    assert mail["html"].strip() == "<p>Habari</p>"
    assert mail["message_id"] == "<abc@jua.example>"
    assert mail["headers"]["Auto-Submitted"] == "auto-generated"


def test_people_see_each_mail_and_nothing_in_it_runs(
    sandbox: SandboxProcess, mailer: SmtpMailer
) -> None:
    mailer.send(a_mail(subject="<script>alert(1)</script>"))

    listed = requests.get(f"{sandbox.base_url}/mailbox", timeout=60)
    number = mails(sandbox)[0]["number"]
    shown = requests.get(f"{sandbox.base_url}/mailbox/{number}", timeout=60)

    for page in (listed, shown):
        assert page.status_code == 200
        assert "&lt;script&gt;" in page.text
        assert "<script>" not in page.text
    assert 'sandbox="allow-popups" srcdoc="&lt;p&gt;Habari' in shown.text
    assert requests.get(f"{sandbox.base_url}/mailbox/999999", timeout=60).status_code == 404


@pytest.mark.parametrize(
    "said", ["550 5.1.1 no such user", "550 no such user here", "553 5.1.3 bad", "550 5.2.1 full"]
)
def test_an_address_that_does_not_exist_is_refused_for_good(
    sandbox: SandboxProcess, mailer: SmtpMailer, said: str
) -> None:
    set_faults(sandbox, refusals={"amina@example.com": said})

    with pytest.raises(MailRefusedError, match=said):
        mailer.send(a_mail())


@pytest.mark.parametrize(
    "said",
    [
        "450 4.2.0 greylisted",
        "550 5.7.1 relaying denied",
        "550 relay not permitted",
        "554 5.7.1 your address is blocked",
        "552 5.2.2 mailbox full",
        "530 5.7.0 authentication required",
    ],
)
def test_what_is_not_about_the_address_may_pass(
    sandbox: SandboxProcess, mailer: SmtpMailer, said: str
) -> None:
    set_faults(sandbox, refusals={"amina@example.com": said})

    with pytest.raises(MailUnavailableError, match=said):
        mailer.send(a_mail())


def test_a_server_that_is_down_may_come_back(sandbox: SandboxProcess, mailer: SmtpMailer) -> None:
    set_faults(sandbox, down=True)
    for act in (mailer.check, lambda: mailer.send(a_mail())):
        with pytest.raises(MailUnavailableError, match="421"):
            act()

    set_faults(sandbox, down=False)
    mailer.send(a_mail())
    assert len(mails(sandbox)) == 1


def test_a_server_that_is_away_or_silent_is_unavailable() -> None:
    with reserved_port() as port, pytest.raises(MailUnavailableError, match="ConnectionRefused"):
        a_mailer(f"smtp://127.0.0.1:{port}").send(a_mail())


def test_a_header_is_never_broken_in_two() -> None:
    for subject in ("Hi\r\nBcc: all@example.com", "Hi\nthere", "", "x" * 201, "a\0b", "a\u2028b"):
        with pytest.raises(InvalidRequestError):
            a_mail(subject=subject)
    for address in (
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a,b@example.com",
        "<a@example.com>",
        'a"b@example.com',
        "a@b@example.com",
        "a b@example.com",
        "nobody",
    ):
        with pytest.raises(InvalidRequestError):
            a_mail(to=address)


class Taking:
    """Keeps what another's server was given."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append((session.authenticated, session.ssl is not None, envelope.rcpt_tos))
        return "250 ok"


def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
    right = data == LoginPassword(b"jua", b"p@ss/word")
    return AuthResult(success=right, handled=False)


@contextmanager
def another_server(**more: Any) -> Iterator[tuple[Taking, int]]:
    taking = Taking()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(TLS)
    with reserved_port() as port:
        controller = Controller(
            taking,
            hostname="127.0.0.1",
            port=port,
            tls_context=tls,
            authenticator=authenticate,
            auth_required=True,
            **more,
        )
        controller.start()
        try:
            yield taking, port
        finally:
            controller.stop()


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(TLS))


def test_a_password_is_said_only_after_encryption() -> None:
    with another_server() as (taking, port):
        url = f"smtp+starttls://jua:p%40ss%2Fword@127.0.0.1:{port}"
        a_mailer(url, tls=trusting).send(a_mail())
        with pytest.raises(MailUnavailableError):
            a_mailer(url).send(a_mail())  # a certificate that no authority signed
        with pytest.raises(MailUnavailableError, match="user name and password") as refused:
            a_mailer(url.replace("word", "wort"), tls=trusting).check()

    assert taking.mails == [(True, True, ["amina@example.com"])]
    assert "wort" not in str(refused.value)


def test_a_server_without_encryption_is_told_nothing(
    sandbox: SandboxProcess, mailer: SmtpMailer
) -> None:
    assert mailer
    url = sandbox.mail_url.replace("smtp://", "smtp+starttls://jua:secret@")

    with pytest.raises(MailUnavailableError):
        a_mailer(url).send(a_mail())
    assert mails(sandbox) == []


@pytest.mark.parametrize(
    ("url", "port"),
    [("smtp://a", 25), ("smtps://a", 465), ("smtp+starttls://a", 587), ("smtp://a:2525/", 2525)],
)
def test_an_address_says_how_to_reach_the_server(url: str, port: int) -> None:
    assert MailServer.parse(url).port == port


@pytest.mark.parametrize("url", ["http://a", "smtp://", "smtp://a/b", "smtp://a?b", "smtp://a:x"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"mail server|Port"):
        MailServer.parse(url)


def test_a_password_shows_nowhere() -> None:
    assert "secret" not in repr(a_mailer("smtps://jua:secret@mail.example"))


def test_every_template_renders_in_both_forms() -> None:
    content = JinjaTemplates(SITE).render("test", {"sent_at": "<now>"})

    assert content.subject == "A test mail from Jua & Co"
    assert "It was sent at <now>" in content.text
    assert "It was sent at &lt;now&gt;" in content.html
    assert "Jua &amp; Co" in content.html
    assert "help@jua.example" in content.text


def test_a_value_that_is_missing_or_a_template_is_named() -> None:
    with pytest.raises(MailTemplateError, match="sent_at"):
        JinjaTemplates(SITE).render("test", {})
    with pytest.raises(MailTemplateError, match="nothing"):
        JinjaTemplates(SITE).render("nothing", {})
    with pytest.raises(MailTemplateError):
        JinjaTemplates(SITE).render("../../wsgi", {})


def test_a_line_break_in_a_value_makes_no_header() -> None:
    templates = JinjaTemplates({**SITE, "name": "Jua\r\nBcc: all@example.com"})

    content = templates.render("test", {"sent_at": "now"})

    assert content.subject == "A test mail from Jua"
