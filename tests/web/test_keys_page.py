"""The keys page: limits, pause, rotation, as a person uses them."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest

from creditcore import ApiKey, Credits, SystemClock
from creditcore.domain.keys import Scope
from creditcore.domain.limits import KeyCounter, KeyLimits, Period, SpendLimit
from creditcore.usecases.keys.limit_account import LimitAccount
from tests.visitors import Visitor

SECRET = re.compile(r"sk-cc-[0-9A-Za-z]{38}")
LIMITED = {
    "name": "batch",
    "spend": "2.50",
    "period": "day",
    "rpm": "20",
    "tpm": "10,000",
    "max_parallel": "3",
    "models": "demo-*\ngpt-4o",
    "addresses": "127.0.0.1, 10.0.0.0/8",
    "scopes": ["inference", "account:read"],
}


def make(member: Visitor, **typed: object) -> str:
    answer = member.post("/dashboard/keys", {"key_id": str(uuid.uuid4()), "name": "app", **typed})
    assert answer.status_code == 201, answer.text
    secret = SECRET.search(answer.text)
    assert secret
    return secret[0]


def keys_of(member: Visitor) -> list[ApiKey]:
    owner_id = member.person.id
    with member.stack.store.begin() as tx:
        return list(tx.keys.list_of(owner_id))


def test_a_key_is_made_with_the_limits_that_were_typed(member: Visitor) -> None:
    make(member, **LIMITED)

    [key] = keys_of(member)
    limits, spend = key.limits, key.limits.spend
    assert spend is not None
    assert (spend.credits, spend.period) == (Credits.of(250), Period.DAY)
    assert (limits.rpm, limits.tpm, limits.max_parallel) == (20, 10_000, 3)
    assert limits.models == ("demo-*", "gpt-4o")
    assert limits.addresses == ("127.0.0.1/32", "10.0.0.0/8")
    assert key.scopes == (Scope.INFERENCE, Scope.ACCOUNT_READ)


@pytest.mark.parametrize(
    ("period", "ends"), [(Period.DAY, r", until .+ 00:00 UTC"), (Period.TOTAL, "")]
)
def test_a_key_whose_limit_is_used_up_says_so_and_until_when(
    member: Visitor, period: Period, ends: str
) -> None:
    make(member, **LIMITED | {"period": period.value})
    [key] = keys_of(member)
    pages = ("/dashboard/keys", f"/dashboard/keys/{key.id}")
    for page in pages:
        assert "Limit reached" not in member.get(page).text
    now = member.stack.services.clock.now()
    used_up = KeyCounter(
        id=key.counter_id, wallet_id=key.wallet_id, since=now, limit=Credits.of(250),
        spent=Credits.of(250),
    )  # fmt: skip
    with member.stack.store.begin() as tx:
        tx.keys.set_counter(used_up)
        tx.commit()

    for page in pages:
        told = re.search(r"Limit reached</span>\s*<span[^>]*>(.*?)</span>", member.get(page).text)
        assert told
        assert re.fullmatch(f"Of this key{ends}", re.sub("<[^>]+>", "", told[1]))


def test_the_page_of_a_key_shows_its_terms_and_saves_them(member: Visitor) -> None:
    make(member, **LIMITED)
    [key] = keys_of(member)
    address = f"/dashboard/keys/{key.id}"

    page = unescape(member.get(address).text)
    saved = member.post(address, {**LIMITED, "rpm": "", "expires_at": "2040-01-31T18:00"})

    assert "$0.00 of $2.50 a day" in page
    assert 'value="2.5"' in page
    assert saved.status_code == 302
    [changed] = keys_of(member)
    assert changed.limits.rpm is None
    assert changed.limits.spend == key.limits.spend
    assert f"{changed.expires_at:%Y-%m-%d %H:%M}" == "2040-01-31 18:00"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("name", ""),
        ("spend", "much"),
        ("spend", "-1"),
        ("spend", "1e9"),
        ("period", "year"),
        ("rpm", "0"),
        ("rpm", "1.5"),
        ("tpm", "9" * 15),
        ("max_parallel", "many"),
        ("models", "a*b"),
        ("addresses", "here"),
        ("expires_at", "soon"),
        ("expires_at", "1999-01-01T00:00"),
    ],
)
def test_what_means_nothing_is_shown_again_with_what_is_wrong(
    member: Visitor, name: str, text: str
) -> None:
    make(member, **LIMITED)
    [key] = keys_of(member)

    answer = member.post(f"/dashboard/keys/{key.id}", {**LIMITED, name: text})

    assert answer.status_code == 400
    assert "This was not saved." in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert keys_of(member) == [key]


def test_what_limits_the_account_is_told_beside_its_keys(member: Visitor) -> None:
    limiting = LimitAccount(transactions=member.stack.store, clock=SystemClock())
    wallet = member.stack.wallet_of(member.person.id)
    spend = SpendLimit(credits=Credits.of(500), period=Period.DAY)
    before = member.get("/dashboard/keys").text

    limiting.limit(wallet.id, KeyLimits(rpm=1_200, max_parallel=3, spend=spend))

    assert "may use together" not in before
    assert (
        "may use together: 1,200 requests a minute, 3 calls at the same time, "
        "$5.00 of balance a day." in member.get("/dashboard/keys").text
    )


def test_every_key_is_paused_by_one_button(member: Visitor) -> None:
    for _ in range(2):
        make(member)

    page = member.post("/dashboard/keys/pause-all", {}, allow_redirects=True)

    assert "2 keys were paused." in page.text
    assert all(key.paused_at for key in keys_of(member))


def test_revoked_keys_are_shown_where_they_are_asked_for(member: Visitor) -> None:
    make(member, name="gone for good")
    [key] = keys_of(member)
    member.post(f"/dashboard/keys/{key.id}/revoke", {})

    assert "gone for good" not in member.get("/dashboard/keys").text
    assert "Show revoked (1)" in member.get("/dashboard/keys").text
    assert "gone for good" in member.get("/dashboard/keys?revoked=1").text


def test_the_keys_of_others_do_not_exist(member: Visitor, stranger: Visitor) -> None:
    make(member)
    [key] = keys_of(member)
    stranger.sign_up()

    for path in ("", "/stop", "/pause", "/resume", "/rotate", "/revoke"):
        answer = stranger.post(f"/dashboard/keys/{key.id}{path}", {**LIMITED, "overlap_hours": "0"})
        assert answer.status_code == 404, path
    assert stranger.get(f"/dashboard/keys/{key.id}").status_code == 404
    assert keys_of(member) == [key]
