"""People see what happened to their account, and prove who they are before what matters."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from adapters.local_auth import authenticator
from creditcore.domain.activity import Activity
from creditcore.domain.keys import Scope
from tests.integration.test_access_matrix import Site, Visitor

PASSWORD = "correct horse battery"
SECURITY = "/dashboard/security"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
FORM = "text/html"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("activity"))


@pytest.fixture
def member(site: Site) -> Visitor:
    return site.visitor()


def send(
    visitor: Visitor, path: str, form: dict[str, str] | None = None, *, method: str = "POST"
) -> TestResponse:
    """Send a form; what is done after the answer has left is done on return."""
    headers = {"User-Agent": BROWSER, "Accept": FORM}
    answer = visitor.client.open(path, method=method, data=form or {}, headers=headers)
    answer.close()
    return answer


def stranger(site: Site, path: str, form: dict[str, str]) -> TestResponse:
    answer = site.app.test_client().post(path, data=form, headers={"User-Agent": "curl/8"})
    answer.close()
    return answer


def acts(site: Site, visitor: Visitor) -> list[Activity]:
    return list(site.services.people.security_log.recent(visitor.person.id, limit=100))


def names(site: Site, visitor: Visitor) -> list[str]:
    return [found.act for found in acts(site, visitor)]


def let_the_proof_age(site: Site, visitor: Visitor) -> None:
    with site.services.transactions.begin() as tx:
        session = tx.sessions.lock(visitor.names["session_id"], person_id=visitor.person.id)
        assert session
        tx.sessions.save(replace(session, proved_at=session.proved_at - timedelta(minutes=31)))
        tx.commit()


# -- what is noted ---------------------------------------------------------------------


def test_a_sign_in_is_noted_with_how_and_from_where(site: Site, member: Visitor) -> None:
    answer = send(
        Visitor(member.person, site.app.test_client(), {}),
        "/sign-in",
        {"email": member.person.email, "password": PASSWORD},
    )

    assert answer.status_code == 302
    found = acts(site, member)[0]
    assert (found.act, found.after) == ("person.signed_in", {"how": "password"})
    assert found.actor.id == member.person.id
    assert found.actor.address == "127.0.0.1"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
def test_a_wrong_password_is_noted_wherever_it_is_tried(
    site: Site, member: Visitor, path: str
) -> None:
    stranger(site, path, {"email": member.person.email, "password": "wrong horse battery"})

    found = acts(site, member)[0]
    assert (found.act, found.after) == ("person.sign_in_failed", {"step": "password"})
    assert found.actor.id == "visitor"
    assert found.actor.user_agent == "curl/8"


@pytest.mark.parametrize("email", ["{theirs}", "nobody-{theirs}"])
def test_noting_a_failure_is_nothing_that_a_stranger_sees(
    site: Site, member: Visitor, email: str
) -> None:
    wrong = {"email": email.format(theirs=member.person.email), "password": "wrong horse battery"}
    client = site.app.test_client()

    answer = client.post("/sign-in", data=wrong)

    # The answer is complete, and nothing was noted yet; the connection ends with it.
    assert answer.status_code == 401
    assert answer.headers["connection"] == "close"
    assert "person.sign_in_failed" not in names(site, member)
    answer.close()


def test_every_change_is_noted(site: Site, member: Visitor) -> None:
    page = send(member, f"{SECURITY}/second-factor").text
    fields = dict(re.findall(r'name="(enrolment|secret|uri)" value="([^"]*)"', page))
    code = authenticator.pyotp.TOTP(fields["secret"]).now()
    assert (
        send(member, f"{SECURITY}/second-factor/confirm", fields | {"code": code}).status_code
        == 201
    )
    send(member, f"{SECURITY}/recovery-codes")
    send(member, f"{SECURITY}/second-factor/remove")
    send(member, f"{SECURITY}/sessions/end-others")
    wrong = {"current": "wrong horse battery", "password": "another teapot of brass"}
    send(member, f"{SECURITY}/password", wrong)
    send(member, f"{SECURITY}/password", wrong | {"current": PASSWORD})
    send(member, "/sign-out")

    assert names(site, member)[:8] == [
        "person.signed_out",
        "person.password_changed",
        "person.proof_failed",
        "person.sessions_ended",
        "person.second_factor_removed",
        "person.recovery_codes_renewed",
        "person.second_factor_added",
        "key.issued",
    ]


def test_wrong_codes_are_noted_at_sign_in_and_for_stepping_up(site: Site, member: Visitor) -> None:
    page = send(member, f"{SECURITY}/second-factor").text
    fields = dict(re.findall(r'name="(enrolment|secret|uri)" value="([^"]*)"', page))
    code = authenticator.pyotp.TOTP(fields["secret"]).now()
    send(member, f"{SECURITY}/second-factor/confirm", fields | {"code": code})
    half = Visitor(member.person, site.app.test_client(), {})
    send(half, "/sign-in", {"email": member.person.email, "password": PASSWORD})

    send(half, "/sign-in/code", {"code": "no"})
    send(half, "/sign-in/recovery-code", {"code": "no"})
    let_the_proof_age(site, member)
    send(member, "/step-up", {"code": "no"})

    assert [(found.act, found.after) for found in acts(site, member)[:3]] == [
        ("person.proof_failed", {"step": "code"}),
        ("person.sign_in_failed", {"step": "recovery code"}),
        ("person.sign_in_failed", {"step": "code"}),
    ]


def test_closing_is_noted_for_operators(site: Site, member: Visitor) -> None:
    send(member, f"{SECURITY}/close", {"email": member.person.email, "give_up": "yes"})

    with site.services.transactions.begin() as tx:
        [found] = tx.activity.recent(limit=1, person_id=member.person.id)
    assert found.act == "person.account_closed"
    assert found.actor.id == member.person.id


# -- what is shown ---------------------------------------------------------------------


def test_the_owner_reads_it_in_words(site: Site, member: Visitor) -> None:
    stranger(site, "/sign-in", {"email": member.person.email, "password": "<b>wrong horse</b>"})
    site.services.people.blocks.unblock(member.person.id)

    for path in (SECURITY, f"{SECURITY}/activity"):
        page = send(member, path, method="GET").text
        assert 'Sign-in</strong> <span class="badge badge--warn">Failed</span>' in page
        assert "wrong password" in page
        assert "curl &middot;" in page
        assert "127.0.0.1" in page
        assert "Account unblocked</strong>" in page
        assert "wrong horse" not in page


def test_it_is_read_page_by_page(site: Site, member: Visitor) -> None:
    for _ in range(60):
        site.services.people.blocks.unblock(member.person.id)

    first = send(member, f"{SECURITY}/activity", method="GET").text
    older = re.search(r'href="([^"]*before=\d+)"', first)
    assert older
    second = send(member, older[1], method="GET").text

    assert first.count("Account unblocked</strong>") == 50
    assert second.count("Account unblocked</strong>") == 10
    assert "Latest</a>" in second


@pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 30, "1"])
def test_a_page_that_cannot_be_is_no_fault_of_ours(member: Visitor, before: str) -> None:
    answer = send(member, f"{SECURITY}/activity?before={before}", method="GET")

    assert answer.status_code == 200


def test_no_person_reads_what_happened_to_another(site: Site, member: Visitor) -> None:
    other = site.visitor()
    stranger(site, "/sign-in", {"email": member.person.email, "password": "wrong horse"})

    assert "Failed</span>" not in send(other, f"{SECURITY}/activity", method="GET").text


# -- stepping up -----------------------------------------------------------------------


MANAGER = {"name": "ops", "scopes": Scope.ACCOUNT_MANAGE.value}


@pytest.mark.parametrize(
    ("path", "form", "back_to"),
    [
        ("/dashboard/keys", MANAGER, "/dashboard/keys"),
        ("/dashboard/keys/{key_id}", MANAGER, "/dashboard/keys"),
        ("/api/checkout/start", {"amount_usd": "100"}, "/dashboard/billing"),
        (
            "/api/checkout/mobile",
            {"amount_usd": "100", "network": "KES:mpesa", "phone": "0712345678"},
            "/dashboard/billing",
        ),
    ],
)
def test_what_matters_wants_a_fresh_proof(
    kenyan: Site, path: str, form: dict[str, str], back_to: str
) -> None:
    member = kenyan.visitor()
    let_the_proof_age(kenyan, member)

    answer = send(member, path.format(**member.names), form)

    assert answer.status_code == 302
    assert answer.headers["location"] == f"/step-up?next={back_to}"


@pytest.fixture(scope="module")
def kenyan(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("kenyan"), USD_TO_KES_RATE="130")


def test_everyday_acts_want_none(site: Site, member: Visitor) -> None:
    let_the_proof_age(site, member)

    made = send(member, "/dashboard/keys", {"name": "laptop", "key_id": str(member.person.id)})
    bought = send(member, "/api/checkout/start", {"amount_usd": "99"})

    assert made.status_code == 201
    # The payment provider of this site is not there.
    assert bought.status_code == 503


def test_programs_in_a_session_are_told_to_step_up(site: Site, member: Visitor) -> None:
    let_the_proof_age(site, member)
    signer = URLSafeTimedSerializer(site.app.secret_key, salt="wtf-csrf-token")
    headers = {"X-CSRFToken": signer.dumps("of this visitor"), "Accept": "application/json"}

    answer = member.client.post(
        "/api/v1/keys", json={"name": "ops", "scopes": ["account:manage"]}, headers=headers
    )
    plain = member.client.post("/api/v1/keys", json={"name": "laptop"}, headers=headers)

    assert answer.status_code == 403
    assert answer.json
    assert answer.json["error"]["code"] == "step_up_required"
    assert "/step-up?next=/dashboard/keys" in answer.json["error"]["message"]
    assert plain.status_code == 201


def test_a_fresh_proof_is_enough(site: Site, member: Visitor) -> None:
    let_the_proof_age(site, member)
    proved = send(member, "/step-up", {"password": PASSWORD, "next": "/dashboard/keys"})

    made = send(member, "/dashboard/keys", MANAGER | {"key_id": str(member.person.id)})

    assert proved.headers["location"] == "/dashboard/keys"
    assert made.status_code == 201
