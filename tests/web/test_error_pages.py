"""Pages of errors lead on: people who are signed in to their account, all others to the start."""

from __future__ import annotations

import pytest

from tests.visitors import Visitor
from tests.web.site import Site


def test_who_is_signed_in_is_led_back_to_their_account(member: Visitor) -> None:
    answer = member.get("/dashboard/nothing")

    assert answer.status_code == 404
    assert 'href="/dashboard">Back to the overview' in answer.text


def test_a_visitor_is_led_back_to_the_start(visitor: Visitor) -> None:
    answer = visitor.get("/nothing")

    assert answer.status_code == 404
    assert 'href="/">Back to the start' in answer.text


def test_a_number_to_quote_stands_there_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise RuntimeError

    monkeypatch.setitem(site.app.view_functions, "site.pricing", broken)
    with Visitor(site) as visitor:
        answer = visitor.get("/pricing")

    assert answer.status_code == 500
    assert answer.text.count(answer.headers["x-request-id"]) == 1
