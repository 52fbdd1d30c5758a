"""Which pages go over the wire compressed, and which as they are."""

from __future__ import annotations

import gzip
import uuid

import pytest
import requests
from flask import Flask

from adapters.flask_web.web import compressed_pages
from tests.second_factor import SECURITY
from tests.visitors import PASSWORD, Visitor
from tests.web.site import Site

KEYS = "/dashboard/keys"


def is_packed(answer: requests.Response) -> bool:
    return answer.headers.get("content-encoding") == "gzip"


def varies(answer: requests.Response) -> bool:
    return "Accept-Encoding" in answer.headers.get("vary", "")


@pytest.mark.parametrize("page", ["/", "/pricing", "/dashboard", "/dashboard/analytics", KEYS])
def test_a_page_is_compressed_for_who_can_read_it(member: Visitor, page: str) -> None:
    answer = member.get(page, stream=True)
    raw = answer.raw.read(decode_content=False)

    assert is_packed(answer)
    assert varies(answer)
    assert int(answer.headers["content-length"]) == len(raw)
    assert gzip.decompress(raw).rstrip().endswith(b"</html>")


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0, *"])
def test_others_get_it_as_it_is(member: Visitor, accepted: str) -> None:
    answer = member.get("/dashboard", headers={"accept-encoding": accepted})

    assert not is_packed(answer)
    assert varies(answer)
    assert answer.text.rstrip().endswith("</html>")


def test_asking_for_the_head_alone_is_answered_alike(site: Site) -> None:
    answer = site.app.test_client().head("/", headers={"accept-encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert 1000 < int(answer.headers["content-length"]) < 12_000
    assert answer.data == b""


def test_the_size_of_a_page_is_blurred(visitor: Visitor) -> None:
    sizes = {visitor.get("/pricing").headers["content-length"] for _ in range(12)}

    assert len(sizes) > 1


def test_what_a_form_leads_to_is_not_compressed() -> None:
    app = Flask(__name__)
    compressed_pages.register(app)
    app.add_url_rule("/", methods=["GET", "POST"], view_func=lambda: "<p>sk-cc-</p>" * 1000)
    ways = {"GET": True, "HEAD": True, "POST": False}

    for method, packs in ways.items():
        answer = app.test_client().open(method=method, headers={"accept-encoding": "gzip"})
        assert (answer.headers.get("content-encoding") == "gzip") is packs, method


def test_a_secret_that_is_shown_once_is_not_compressed(member: Visitor) -> None:
    made = member.post(KEYS, {"key_id": str(uuid.uuid4()), "name": "app"})
    begun = member.post(f"{SECURITY}/second-factor", {"password": PASSWORD})

    assert "sk-cc-" in made.text
    assert "otpauth" in begun.text
    assert not is_packed(made)
    assert not is_packed(begun)


def test_the_page_of_a_key_is_not_compressed_while_it_shows_its_webhooks_secret(
    member: Visitor,
) -> None:
    member.post(KEYS, {"key_id": str(uuid.uuid4()), "name": "app"})
    owner_id = member.person.id
    with member.stack.store.begin() as tx:
        [key] = tx.keys.list_of(owner_id)
    before = member.get(f"{KEYS}/{key.id}")
    form = {"stop": "5", "webhook": "https://example.com/hook"}

    assert member.post(f"{KEYS}/{key.id}/stop", form).status_code == 302
    after = member.get(f"{KEYS}/{key.id}")

    assert is_packed(before)
    assert "webhook-secret" not in before.text
    assert "whsec_" in after.text
    assert not is_packed(after)


def test_pages_with_tokens_of_mailed_links_are_not_compressed(member: Visitor) -> None:
    confirming = member.get("/auth/confirm?type=recovery&token_hash=of-a-link-0123456789")

    assert "of-a-link-0123456789" in confirming.text
    assert not is_packed(confirming)
    for page in ("/sign-in", "/join?token=of-a-link", SECURITY):
        assert not is_packed(member.get(page)), page


@pytest.mark.parametrize(
    "path", ["/dashboard/calls/download?range=30d", "/api/models", "/healthz", "/nowhere"]
)
def test_what_is_no_page_is_sent_as_it_is(member: Visitor, path: str) -> None:
    assert not is_packed(member.get(path))


def test_an_unchanged_answer_of_the_api_is_not_sent_again(member: Visitor) -> None:
    tag = member.get("/api/v1/keys").headers["etag"]

    again = member.get("/api/v1/keys", headers={"if-none-match": tag})

    assert (again.status_code, again.content) == (304, b"")
