"""What every form refuses."""

from __future__ import annotations

import re
import uuid

import requests

from tests.visitors import PASSWORD, TOKEN, Visitor, an_address_of, everything_of, routes

WEBHOOK = "/payments/paystack"


# -- forms that somebody else sends -----------------------------------------------------------


def test_every_form_refuses_a_missing_or_forged_token(member: Visitor, stranger: Visitor) -> None:
    member.post("/dashboard/keys", {"name": "mine", "key_id": str(uuid.uuid4())})
    [key] = everything_of(member)["keys"]
    newcomer = f"{uuid.uuid4().hex}@example.com"
    form = {
        "email": newcomer,
        "password": PASSWORD,
        "name": "forged",
        "key_id": str(uuid.uuid4()),
        "amount_usd": "10",
    }
    posts = {rule for method, rule in routes(member.stack) if method == "POST"} - {WEBHOOK}
    before = everything_of(member)

    forgeries: list[dict[str, str]] = [
        {},
        {"csrf_token": ""},
        {"csrf_token": "x.y.z"},
        {"csrf_token": stranger.token()},
    ]
    answers = {
        (rule, number): member.send(
            "POST", an_address_of(rule, key_id=key.id), data={**form, **forgery}
        )
        for rule in posts
        for number, forgery in enumerate(forgeries)
    }

    assert {"/sign-up", "/sign-in", "/sign-out", "/dashboard/keys"} < posts
    assert {case: answer.status_code for case, answer in answers.items()} == dict.fromkeys(
        answers, 400
    )
    assert all("form is out of date" in answer.text for answer in answers.values())
    assert everything_of(member) == before
    assert member.is_signed_in
    with member.stack.store.begin() as tx:
        assert tx.people.find_by_email(newcomer) is None


def test_json_without_the_token_is_told_what_to_send_and_where_it_is(member: Visitor) -> None:
    def pay(**headers: str) -> requests.Response:
        headers["accept"] = "application/json"
        body = {"amount_usd": 10}
        return member.send("POST", "/api/checkout/start", json=body, headers=headers)

    message = pay().json()["error"]["message"]
    assert message.startswith("The CSRF token is missing.")
    [header] = re.findall(r"the header ([\w-]+)", message)
    [page] = re.findall(rf"{member.stack.base_url}\S+", message)
    token = TOKEN.search(member.get(page).text)
    assert token
    answer = pay(**{header: token[1]})

    assert answer.status_code == 201


# -- what is refused -------------------------------------------------------------------------------


def test_no_person_can_revoke_the_key_of_another(member: Visitor, stranger: Visitor) -> None:
    secret = member.stack.a_key(member.person.id)
    [key] = everything_of(member)["keys"]
    stranger.sign_up()

    answer = stranger.post(f"/dashboard/keys/{key.id}/revoke", {})

    assert answer.status_code == 404
    assert member.stack.chat("Hi", key=secret).status_code == 200


def test_wrong_methods_are_told_which_are_right(member: Visitor) -> None:
    served = routes(member.stack)

    for rule in {rule for _, rule in served} - {rule for method, rule in served if method == "PUT"}:
        allowed = {method for method, other in served if other == rule}
        answer = member.send("PUT", an_address_of(rule))

        assert answer.status_code == 405, rule
        assert allowed <= set(answer.headers["allow"].split(", ")), rule
