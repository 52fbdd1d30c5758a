"""A form that is refused says so where people look: title, summary, field."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.integration.test_access_matrix import Site

BROWSER = {"accept": "text/html"}
NAMELESS = {"name": "", "key_id": "00000000-0000-7000-8000-000000000001"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    mail = {"MAIL_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "credits@example.com"}
    return Site(tmp_path_factory.mktemp("site"), USD_TO_KES_RATE="129.5", **mail)


@pytest.fixture(scope="module")
def owner(site: Site) -> FlaskClient:
    return site.visitor().client


@pytest.mark.parametrize(
    ("page", "action", "fields"),
    [
        ("/dashboard/keys", "/dashboard/keys", NAMELESS),
        ("/dashboard/billing", "/api/checkout/start", {"amount_usd": "1"}),
    ],
)
def test_the_title_says_that_a_form_was_refused(
    owner: FlaskClient, page: str, action: str, fields: dict[str, str]
) -> None:
    before, refused = owner.get(page), owner.post(action, data=fields, headers=BROWSER)

    assert refused.status_code == 400
    assert "<title>Error: " in refused.text
    assert "<title>Error: " not in before.text


@pytest.mark.parametrize(
    ("page", "action", "form", "field"),
    [
        ("/sign-up", "/sign-up", {"email": "no address", "password": "short"}, "email"),
        ("/dashboard/team", "/dashboard/team", {"name": "", "team_id": NAMELESS["key_id"]}, "name"),
        ("/dashboard/team", "/dashboard/team/invite", {"email": "x", "role": "member"}, "email"),
        ("/dashboard/team", "/dashboard/team/rename", {"name": " "}, "name"),
        ("/dashboard/team", "/dashboard/team/receipts", {"address": "x" * 201}, "address"),
        ("/dashboard/team", "/dashboard/team/delete", {"confirm": "Another"}, "confirm"),
    ],
)
def test_accounts_and_teams_sum_up_what_is_wrong(
    site: Site, page: str, action: str, form: dict[str, str], field: str
) -> None:
    owner = site.visitor()
    client = site.app.test_client() if page == "/sign-up" else owner.client
    if action.removeprefix(page):
        team = site.services.teams.keep.create(owner.person.id, "Mwangaza")
        client.post("/dashboard/team/switch", data={"account": team.id})

    refused = client.post(action, data=form, headers=BROWSER)

    assert refused.status_code == 400
    assert "<title>Error: " in refused.text
    summary = refused.text.partition("error-summary")[2].partition("</ul>")[0]
    assert f'<a href="#{field}">' in summary
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', refused.text)


def test_a_refused_key_is_summed_up_with_a_link_to_its_field(owner: FlaskClient) -> None:
    page = owner.post("/dashboard/keys", data=NAMELESS).text

    summary = page.partition("error-summary")[2].partition("</ul>")[0]
    assert "data-focus" in summary
    assert '<a href="#name">A key\'s name has 1 to 64' in summary.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("action", "fields", "place"),
    [
        ("/api/checkout/start", {"amount_usd": "1"}, "custom_usd"),
        ("/api/checkout/mobile", {"amount_usd": "5", "phone": "12"}, "phone"),
        ("/api/checkout/mobile", {"amount_usd": "other", "phone": "0710000000"}, "amount"),
        ("/dashboard/billing/notices", {"threshold": "much"}, "threshold"),
        ("/dashboard/billing/cards/top-up/review", {"threshold": "much"}, "per_day"),
    ],
)
def test_a_refused_form_of_billing_is_summed_up_in_itself_alone(
    owner: FlaskClient, action: str, fields: dict[str, str], place: str
) -> None:
    page = owner.post(action, data=fields, headers=BROWSER).text

    summary = page.partition("error-summary")[2].partition("</ul>")[0]
    assert page.count("error-summary") == page.count("<title>Error: ") == 1
    assert page.count("Error: ") == 1
    assert f'<a href="#{place}">' in summary
    assert f'id="{place}"' in page
