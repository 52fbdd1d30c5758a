"""What pages say to a person who has done nothing yet."""

from __future__ import annotations

from tests.visitors import Visitor
from tests.web.site import Site


def test_calls_are_not_filtered_where_there_are_none(member: Visitor) -> None:
    nothing_yet = member.get("/dashboard/calls").text
    nothing_found = member.get("/dashboard/calls?range=7d").text

    assert "No calls yet" in nothing_yet
    assert 'class="filters' not in nothing_yet
    assert "Nothing matches" in nothing_found
    assert 'class="filters' in nothing_found


def test_a_key_can_be_lost_once_there_is_one(site: Site, member: Visitor) -> None:
    before = member.get("/dashboard").text
    site.a_key(member.person.id)

    assert "Make the first call" in before
    assert "Lost the key?" not in before
    assert "Lost the key?" in member.get("/dashboard").text
