"""A form that is refused says so where people look: title, summary, field."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.integration.test_access_matrix import Site

BROWSER = {"accept": "text/html"}
NAMELESS = {"name": "", "key_id": "00000000-0000-7000-8000-000000000001"}


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    site = Site(tmp_path_factory.mktemp("site"))
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


def test_a_refused_key_is_summed_up_with_a_link_to_its_field(owner: FlaskClient) -> None:
    page = owner.post("/dashboard/keys", data=NAMELESS).text

    summary = page.partition("error-summary")[2].partition("</ul>")[0]
    assert "data-focus" in summary
    assert '<a href="#name">A key\'s name has 1 to 64' in summary.replace("&#39;", "'")
