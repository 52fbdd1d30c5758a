"""No public form says who has an account: not by status, text, headers, or by when it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from adapters.local_auth import LocalIdentityProvider, Passwords, Tokens
from creditcore.domain.errors import EmailTakenError
from creditcore.system import SystemIds
from creditcore.testing.contracts.identity_house import PASSWORD, an_email
from creditcore.testing.memory import FixedClock, MemoryTransactions
from creditcore.testing.memory_identity import MemoryVault
from tests.contract.test_identity import cheap_hasher
from tests.integration.test_access_matrix import Site

MAIL = {"MAIL_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "no-reply@house.example"}
ADDRESSES: Iterator[int] = count(1)


@pytest.fixture(scope="module")
def confirming(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("confirming"), **MAIL, CONFIRM_ADDRESSES="yes")


def seen(answer: TestResponse, email: str) -> tuple[object, ...]:
    """Return what a stranger sees of an answer, without what each answer has of its own."""
    text = answer.text.replace(email, "ADDRESS").replace(answer.headers["x-request-id"], "ID")
    text = re.sub(r'(csrf_token|name="csrf_token") value="[^"]*"', "", text)
    headers = {name: value for name, value in answer.headers if name not in _OWN}
    cookies = sorted(cookie.partition("=")[0] for cookie in answer.headers.getlist("set-cookie"))
    answer.close()
    return answer.status_code, text, headers, cookies


_OWN = {"Set-Cookie", "X-Request-Id", "x-request-id", "Date", "Content-Length"}


def tried(site: Site, path: str, email: str, times: int) -> list[tuple[object, ...]]:
    """Send a form so often, as one stranger from an address of their own."""
    client = site.app.test_client()
    here = {"REMOTE_ADDR": f"10.7.0.{next(ADDRESSES)}"}
    form = {"email": email, "password": "wrong horse battery"}
    return [seen(client.post(path, data=form, environ_overrides=here), email) for _ in range(times)]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/recover"])
def test_a_known_and_an_unknown_address_are_answered_alike_until_refused(
    confirming: Site, path: str
) -> None:
    known = confirming.visitor().person.email

    of_known = tried(confirming, path, known, 22)
    of_unknown = tried(confirming, path, an_email(), 22)

    assert of_known == of_unknown
    assert of_known[-1][0] == 429


def test_the_page_behind_a_form_is_the_same_too(confirming: Site) -> None:
    known, unknown = confirming.visitor().person.email, an_email()
    pages = []
    for email in (known, unknown):
        client = confirming.app.test_client()
        here = {"REMOTE_ADDR": f"10.7.0.{next(ADDRESSES)}"}
        client.post("/recover", data={"email": email}, environ_overrides=here)
        asked = client.get("/check-mail", environ_overrides=here)
        again = client.post("/check-mail", environ_overrides=here)
        pages.append((seen(asked, email), seen(again, email)))

    assert pages[0] == pages[1]


@pytest.mark.parametrize("confirms", [True, False])
def test_signing_up_is_the_same_work_for_a_free_and_a_taken_address(*, confirms: bool) -> None:
    hashed: list[object] = []

    def counting(work: object) -> object:
        hashed.append(work)
        return work()  # type: ignore[operator]

    provider = LocalIdentityProvider(
        MemoryTransactions(),
        FixedClock(),
        SystemIds(),
        passwords=Passwords(hasher=cheap_hasher(), run=counting),  # type: ignore[arg-type]
        tokens=Tokens("of these tests 0123456789 abcdefghij"),
        vault=MemoryVault(),
        sends_mail=confirms,
        confirms=confirms,
    )
    email, work = an_email(), []
    for _ in range(2):
        hashed.clear()
        try:
            provider.sign_up(email, PASSWORD)
        except EmailTakenError:
            assert not confirms
        work.append(len(hashed))

    assert work[0] == work[1] > 0


def test_a_closed_account_is_not_known_any_more(tmp_path: Path) -> None:
    site = Site(tmp_path, **MAIL, CONFIRM_ADDRESSES="yes")
    gone = site.visitor()
    site.services.people.closing.close(gone.person.id)

    of_gone = tried(site, "/sign-in", gone.person.email, 1)

    assert of_gone == tried(site, "/sign-in", an_email(), 1)
