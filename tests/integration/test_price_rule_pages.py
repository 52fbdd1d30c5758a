"""Operators make and end price rules on pages, and see what changes before it does."""

from __future__ import annotations

import pytest

from creditcore import ModelPrice
from creditcore.domain.people import Role
from creditcore.domain.units import Unit, UnitPrice
from creditcore.ports.model_gateway import Catalogue
from tests.integration.test_access_matrix import Site, Visitor
from tests.integration.test_direct_mode import RATES

UNPRICED = {"dud": "it is odd", "painter": "it has no price of what it is sold by"}
NEW = "/admin/models/rules/new"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("rules"))
    models = [ModelPrice(model=name, rates=RATES) for name in ("demo", "demo-large")]
    site.services.calls.prices.catalogue.take(Catalogue(models, ["dud", "painter"], UNPRICED))
    return site


@pytest.fixture(scope="module")
def operator(site: Site) -> Visitor:
    return site.visitor(Role.ADMIN)


def price(site: Site, model: str) -> ModelPrice | None:
    return {each.model: each for each in site.services.calls.prices.all()}.get(model)


def test_a_rule_is_shown_confirmed_listed_and_ended(site: Site, operator: Visitor) -> None:
    asked = {"kind": "markup", "pattern": "demo*", "factor": "1.5", "reason": "Rent."}

    preview = operator.client.post(NEW, data=asked).text
    assert "$1 / $2" in preview
    assert "1.5" in preview
    assert (price(site, "demo") or 0).markup == "1"

    made = operator.client.post(NEW, data={**asked, "confirmed": "yes"}, follow_redirects=True).text
    assert "Prices that changed: 2." in made
    assert "Rent." in made
    assert (price(site, "demo") or 0).markup == "1.5"
    [rule] = site.services.calls.prices.catalogue.rules()
    assert rule.created_by == operator.person.id

    end = f"/admin/models/rules/{rule.id}/end"
    assert "demo-large" in operator.client.get(end).text
    ended = operator.client.post(end, follow_redirects=True).text
    assert "The rule has ended." in ended
    assert (price(site, "demo") or 0).markup == "1"


def test_what_is_not_sold_can_be_given_a_price(site: Site, operator: Visitor) -> None:
    page = operator.client.get("/admin/models/rules").text
    assert "it is odd" in page
    assert "kind=override&amp;pattern=dud" in page
    form = operator.client.get(f"{NEW}?kind=override&pattern=dud").text
    assert 'value="dud"' in form

    data = {"kind": "override", "pattern": "dud", "input": "0", "output": "2.5", "confirmed": "yes"}
    assert operator.client.post(NEW, data=data).status_code == 302

    found = price(site, "dud")
    assert found is not None
    assert (found.rates.input, found.rates.output) == (0, 25 * 10**23)


def test_a_price_of_an_image_is_shown_before_it_counts(site: Site, operator: Visitor) -> None:
    asked = {"kind": "override", "pattern": "painter", "per": "image", "price": "0.04"}

    preview = operator.client.post(NEW, data=asked).text
    assert "not sold" in preview
    assert "$0.04 per image" in preview
    assert 'name="per" value="image"' in preview
    assert price(site, "painter") is None

    operator.client.post(NEW, data={**asked, "confirmed": "yes"})
    found = price(site, "painter")
    assert found is not None
    assert (found.mode, found.unit) == ("image_generation", UnitPrice(Unit.IMAGE, 4 * 10**28))
    assert found.rates.input == found.rates.output == 0
    assert "$0.04 per image" in operator.client.get("/admin/models/rules").text


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"kind": "gift", "pattern": "demo"}, "kind"),
        ({"kind": "override", "pattern": "demo", "input": "dear", "output": "1"}, "input"),
        ({"kind": "override", "pattern": "demo", "input": "1"}, "output"),
        ({"kind": "override", "pattern": "demo", "per": "smile", "price": "1"}, "per"),
        ({"kind": "override", "pattern": "demo", "per": "image", "price": ""}, "price"),
        ({"kind": "override", "pattern": "demo", "per": "image", "price": "-1"}, "price"),
        ({"kind": "markup", "pattern": "demo", "factor": ""}, "factor"),
        ({"kind": "hide", "pattern": ""}, "pattern"),
        ({"kind": "hide", "pattern": "demo", "until": "soon"}, "until"),
        ({"kind": "hide", "pattern": "demo", "until": "1999-01-01"}, "until"),
    ],
)
def test_a_form_that_means_nothing_names_its_field(
    operator: Visitor, data: dict[str, str], field: str
) -> None:
    answer = operator.client.post(NEW, data={**data, "confirmed": "yes"})

    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text


def test_a_rule_that_is_not_there_has_no_page(operator: Visitor) -> None:
    assert operator.client.get("/admin/models/rules/rule-9/end").status_code == 404
