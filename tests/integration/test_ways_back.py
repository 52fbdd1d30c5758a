"""The way back after signing in is carried through every step, and never leads to another site."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.test_access_matrix import Site, Visitor
from tests.integration.test_account_activity import let_the_proof_age
from tests.web.test_redirects import TRICKS

PASSWORD = "correct horse battery"
HERE = "/dashboard/keys?revoked=1"
PAGES = ("/sign-in", "/sign-up", "/recover", "/step-up")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    mail = {
        "MAIL_URL": "smtp://127.0.0.1:9",
        "MAIL_FROM": "no-reply@house.example",
        "CONFIRM_ADDRESSES": "yes",
    }
    return Site(tmp_path_factory.mktemp("ways-back"), **mail)


@pytest.fixture(scope="module")
def member(site: Site) -> Visitor:
    return site.visitor()


def carried(page: str) -> set[str]:
    """Return where the forms and links of a page lead on to."""
    named = re.findall(r'name="next" value="([^"]*)"', page)
    linked = re.findall(r'href="[^"]*[?&]next=([^"&]*)', page)
    return {text for text in (*named, *linked) if text}


def client_for(site: Site, member: Visitor, path: str) -> FlaskClient:
    return member.client if path == "/step-up" else site.app.test_client()


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("path", [*PAGES, "/check-mail", "/auth/confirm"])
def test_no_page_takes_up_a_way_that_leads_elsewhere(
    site: Site, member: Visitor, path: str, trick: str
) -> None:
    client = client_for(site, member, path)
    if path == "/check-mail":
        client.post("/recover", data={"email": "anna@example.com"})
    query = {"next": trick, "type": "signup", "token_hash": "x" * 20}

    answers = [client.get(f"{path}?{urlencode(query)}")]
    if path == "/auth/confirm":
        answers.append(
            client.get(f"{path}?{urlencode(query | {'next': '', 'redirect_to': trick})}")
        )

    for answer in answers:
        assert carried(answer.text) <= {"/dashboard/security"}
        assert "evil.example" not in answer.headers.get("location", "")


@pytest.mark.parametrize("trick", TRICKS)
def test_no_form_leads_elsewhere(site: Site, member: Visitor, trick: str) -> None:
    client = site.app.test_client()
    forms = {
        "/sign-in": {"email": member.person.email, "password": PASSWORD},
        "/sign-up": {"email": "new@example.com", "password": PASSWORD},
        "/recover": {"email": member.person.email},
        "/check-mail": {},
    }

    # Each from an address of its own: attempts are bounded by address.
    here = {"REMOTE_ADDR": f"10.0.0.{TRICKS.index(trick)}"}

    landed = {
        path: client.post(path, data={**form, "next": trick}, environ_overrides=here).headers[
            "location"
        ]
        for path, form in forms.items()
    }

    assert landed["/sign-in"] == "/dashboard"
    assert not any("evil" in where or "next=" in where for where in landed.values())


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_this_site_is_carried_on(site: Site, member: Visitor, path: str) -> None:
    client = client_for(site, member, path)
    if path == "/step-up":
        let_the_proof_age(site, member)

    page = client.get(f"{path}?{urlencode({'next': HERE})}").text

    assert HERE in {unquote(way) for way in carried(page)}


def test_a_link_of_a_mail_that_is_asked_for_leads_on(site: Site) -> None:
    email = "way-back@example.com"
    site.app.test_client().post(
        "/sign-up", data={"email": email, "password": PASSWORD, "next": HERE}
    )

    with site.services.transactions.begin() as tx:
        [asked] = [
            job.payload["next"]
            for job in tx.jobs.listing(limit=50)
            if job.kind == "mail_link" and job.payload["email"] == email
        ]
    assert asked == HERE


# -- where failed returns land ---------------------------------------------------------


def away(client: FlaskClient, **flow: str) -> FlaskClient:
    """Leave for GitHub, as far as this browser knows."""
    with client.session_transaction() as cookie:
        cookie["oauth"] = {"token": "gone", "next": HERE, "connects": "", **flow}
    return client


def lost(client: FlaskClient) -> TestResponse:
    """Come back to the start page, as the provider sends people whose state it has lost."""
    said = {"error": "invalid_request", "error_code": "bad_oauth_state"}
    return client.get(f"/?{urlencode(said | {'error_description': '<b>expired</b>'})}")


def test_a_return_that_lost_its_way_is_led_on_from_the_start_page(site: Site) -> None:
    client = away(site.app.test_client())

    landed = lost(client)
    page = client.get(landed.headers["location"]).text

    assert landed.headers["location"] == "/sign-in?next=/dashboard/keys?revoked%3D1"
    assert "Please start again" in page
    assert "expired</b>" not in page
    # It is said once.
    assert lost(client).status_code == 200


def test_who_wanted_to_connect_is_led_back_to_the_security_page(member: Visitor) -> None:
    landed = lost(away(member.client, connects=member.person.id))

    assert landed.headers["location"] == "/dashboard/security"


def test_no_other_person_is_led_anywhere_by_such_an_address(site: Site) -> None:
    assert lost(site.app.test_client()).status_code == 200


def test_a_site_without_mail_carries_no_more(tmp_path: Path) -> None:
    page = Site(tmp_path).app.test_client().get("/recover?next=//evil.example").text

    assert "evil.example" not in page
