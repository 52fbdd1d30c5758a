"""The token of a session's forms: new in each page, the same inside."""

from __future__ import annotations

import re

import pytest
from itsdangerous import URLSafeTimedSerializer

from adapters.flask_web.web.form_tokens import masked, unmasked
from tests.visitors import TOKEN, Visitor

KEYS = "/dashboard/keys"


def rename(member: Visitor, token: str) -> int:
    form = {"csrf_token": token, "name": "Amina"}
    return member.send("POST", "/dashboard/general", data=form).status_code


def test_each_page_has_another_token_and_each_counts(member: Visitor) -> None:
    tokens = [member.token() for _ in range(3)]

    assert len(set(tokens)) == 3
    assert [rename(member, token) for token in tokens] == [302, 302, 302]


def test_nothing_of_a_token_is_the_same_in_another_page(member: Visitor) -> None:
    one, other = member.token(), member.token()

    assert unmasked(one).split(".")[0] == unmasked(other).split(".")[0]
    # Random Base64 agrees in one place of 64: in a quarter of all it never does.
    alike = sum(left == right for left, right in zip(one, other, strict=True))
    assert alike < len(one) / 4


def test_all_forms_of_a_page_have_one_token(member: Visitor) -> None:
    page = member.get(KEYS).text

    assert len(TOKEN.findall(page)) > 1
    assert len(set(TOKEN.findall(page))) == 1


def test_a_token_of_before_the_masks_counts(member: Visitor) -> None:
    assert rename(member, unmasked(member.token())) == 302


def test_a_script_sends_it_in_a_header(member: Visitor) -> None:
    answer = member.post_json("/api/v1/keys", {"name": "of a script"})

    assert answer.status_code == 201, answer.text


def test_the_token_of_another_session_does_not_count(member: Visitor, stranger: Visitor) -> None:
    assert rename(member, stranger.token()) == 400
    assert rename(member, unmasked(stranger.token())) == 400


def test_a_token_without_our_signature_does_not_count(member: Visitor) -> None:
    inside = re.sub(r"\.[^.]+$", "", unmasked(member.token()))
    forged = URLSafeTimedSerializer("another secret", salt="wtf-csrf-token").dumps("x")

    assert rename(member, masked(forged)) == 400
    assert rename(member, masked(inside)) == 400


@pytest.mark.parametrize("sent", ["", "=", "A", "AAA=", "AAAA", "____", "é", "x" * 5000])
def test_what_is_no_token_does_not_count(member: Visitor, sent: str) -> None:
    assert rename(member, sent) == 400
