"""Keys, as programs make, limit, rotate and revoke them."""

from __future__ import annotations

from typing import Any

import pytest

from creditcore.domain.keys import Scope
from tests.e2e.api.conftest import Hire, Program
from tests.stack import wait_until

FULL: dict[str, Any] = {
    "name": "batch",
    "scopes": ["inference", "account:read"],
    "expires_at": "2040-01-01T00:00:00Z",
    "allowed_models": ["demo-*"],
    "allowed_ips": ["127.0.0.1/32"],
    "spend_limit": {"credits": "50.5", "period": "month", "zone": "Africa/Nairobi"},
    "rpm": 100,
    "tpm": 100_000,
    "max_parallel": 4,
}


def test_a_key_is_made_with_every_limit_and_its_secret_shown_once(program: Program) -> None:
    made = program.send("POST", "/api/v1/keys", FULL, status=201)

    shown = program.get(f"/api/v1/keys/{made['id']}")
    assert {name: made[name] for name in FULL} == FULL
    assert made["key"].startswith("sk-cc-")
    assert (made["spent"], made["credit_balance"], made["paused"]) == ("0", "50.5", False)
    assert shown == {name: value for name, value in made.items() if name != "key"}


def test_the_smallest_key(program: Program) -> None:
    made = program.send("POST", "/api/v1/keys", {"name": "small"}, status=201)

    assert made["scopes"] == ["inference"]
    assert (made["spend_limit"], made["spent"], made["credit_balance"]) == (None, None, "200")


def test_a_spend_limit_stops_calls_and_says_what_fits(program: Program) -> None:
    limit = {"credits": "0.02", "period": "day"}
    made = program.send("POST", "/api/v1/keys", {"name": "poor", "spend_limit": limit}, status=201)

    answer = program.stack.chat("hello", key=made["key"], max_tokens=4000)

    error = answer.json()["error"]
    assert answer.status_code == 402
    assert answer.headers["x-should-retry"] == "false"
    assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")
    assert "spend limit of this API key" in error["message"]
    assert "begins anew at" in error["message"]


def test_a_model_that_is_not_allowed_is_neither_listed_nor_called(program: Program) -> None:
    body = {"name": "narrow", "allowed_models": ["demo-chat"]}
    made = program.send("POST", "/api/v1/keys", body, status=201)
    narrow = Program(program.stack, program.account, program.key, made["key"])

    listed = [model["id"] for model in narrow.get("/v1/models")["data"]]
    refused = narrow.stack.chat("hi", key=made["key"], model="claude-sonnet-4-5")

    assert listed == ["demo-chat"]
    assert [model["id"] for model in narrow.get("/api/v1/models")["data"]] == ["demo-chat"]
    assert narrow.call("GET", "/v1/models/claude-sonnet-4-5").status_code == 404
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
    assert narrow.stack.chat("hi", key=made["key"]).status_code == 200


def test_an_address_that_is_not_allowed_is_refused_everywhere(program: Program) -> None:
    body = {"name": "elsewhere", "scopes": [*Scope], "allowed_ips": ["203.0.113.0/24"]}
    made = program.send("POST", "/api/v1/keys", body, status=201)
    elsewhere = Program(program.stack, program.account, program.key, made["key"])

    answers = [
        elsewhere.stack.chat("hi", key=made["key"]),
        elsewhere.call("GET", "/v1/models"),
        elsewhere.call("GET", "/api/v1/credits"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert {answer.json()["error"]["code"] for answer in answers} == {"address_not_allowed"}


# Without Redis each process counts by itself.
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_requests_a_minute_are_counted_and_told(program: Program) -> None:
    made = program.send(
        "POST", "/api/v1/keys", {"name": "slow", "rpm": 2, "tpm": 10_000}, status=201
    )

    answers = [program.stack.chat("hi", key=made["key"], max_tokens=5) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["x-ratelimit-limit-requests"] == "2"
    assert answers[1].headers["x-ratelimit-remaining-requests"] == "0"
    assert answers[1].headers["x-ratelimit-reset-requests"].endswith("s")
    assert answers[1].headers["x-ratelimit-limit-tokens"] == "10000"
    assert answers[1].headers["ratelimit-policy"].startswith('"requests";q=2;w=60, "tokens"')
    assert answers[1].headers["ratelimit"].startswith('"requests";r=0;t=')
    assert answers[2].headers["x-ratelimit-remaining-requests"] == "0"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert answers[2].headers["x-should-retry"] == "true"
    assert answers[2].json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_anthropics_headers_stand_on_anthropics_wire(program: Program) -> None:
    made = program.send("POST", "/api/v1/keys", {"name": "claude", "rpm": 1}, status=201)
    body = {"model": "demo-chat", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}

    first, second = (program.stack.post("/v1/messages", body, key=made["key"]) for _ in range(2))

    assert first.headers["anthropic-ratelimit-requests-limit"] == "1"
    assert first.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
    assert "x-ratelimit-limit-requests" not in first.headers
    assert (second.status_code, second.json()["error"]["type"]) == (429, "rate_limit_error")


def test_a_stop_is_set_tried_and_taken_away(program: Program) -> None:
    hook = "https://example.com/hook"
    body = {"name": "robot", "stop_at_credits_per_hour": "50", "stop_webhook": hook}
    made = program.send("POST", "/api/v1/keys", body, status=201)
    address = f"/api/v1/keys/{made['id']}"

    trial = program.get(f"{address}/stop-trial", credits_per_hour="12.5")
    own = program.get(f"{address}/stop-trial")
    changed = program.send("PATCH", address, {"stop_at_credits_per_hour": None}, status=200)
    program.send("PATCH", address, {"stop_at_credits_per_hour": "0"}, status=400)

    assert made["stop_at_credits_per_hour"] == "50"
    assert (made["stop_webhook"], changed["stop_webhook"]) == (hook, None)
    assert program.get(f"{address}/webhook-secret")["secret"].startswith("whsec_")
    program.send("PATCH", address, {"stop_webhook": hook}, status=400)
    assert (made["paused_by"], changed["stop_at_credits_per_hour"]) == (None, None)
    assert (trial["stop_at_credits_per_hour"], trial["would_have_fired"]) == ("12.5", 0)
    assert (own["stop_at_credits_per_hour"], own["highest_hour"], own["days"]) == ("50", "0", 30)


def test_a_change_counts_with_the_next_call(program: Program) -> None:
    made = program.send("POST", "/api/v1/keys", {"name": "app"}, status=201)
    address = f"/api/v1/keys/{made['id']}"
    statuses = []

    for change in ({"paused": True}, {"paused": False}, {"allowed_models": ["other"]},
                   {"allowed_models": None}):  # fmt: skip
        program.send("PATCH", address, change, status=200)
        statuses.append(program.stack.chat("hi", key=made["key"]).status_code)

    assert statuses == [401, 200, 403, 200]


def test_what_a_change_leaves_out_stays_and_null_takes_away(program: Program) -> None:
    made = program.send("POST", "/api/v1/keys", FULL, status=201)

    changed = program.send(
        "PATCH", f"/api/v1/keys/{made['id']}", {"rpm": None, "name": "other"}, status=200
    )

    kept = {name: value for name, value in FULL.items() if name not in {"rpm", "name"}}
    assert {name: changed[name] for name in kept} == kept
    assert (changed["rpm"], changed["name"]) == (None, "other")


def test_a_rotated_key_works_beside_the_new_one_until_it_is_revoked(program: Program) -> None:
    limit = {"credits": "100", "period": "total"}
    made = program.send("POST", "/api/v1/keys", {"name": "app", "spend_limit": limit}, status=201)
    address = f"/api/v1/keys/{made['id']}"

    rotated = program.send("POST", f"{address}/rotate", {"overlap_hours": 24}, status=201)
    both = [program.stack.chat("hi", key=key).status_code for key in (made["key"], rotated["key"])]
    revoked = program.call("DELETE", address).json()

    assert both == [200, 200]
    assert (rotated["rotated_from"], rotated["spend_limit"]["credits"]) == (made["id"], "100")
    # Calls are settled a moment after they were answered.
    wait_until(
        lambda: (
            program.get(f"/api/v1/keys/{rotated['id']}")["spent"]
            == program.get(address)["spent"]
            != "0"
        )
    )
    assert revoked["revoked_at"] is not None
    assert program.stack.chat("hi", key=made["key"]).status_code == 401
    assert program.stack.chat("hi", key=rotated["key"]).status_code == 200


def test_every_key_is_paused_at_once(program: Program) -> None:
    assert program.send("POST", "/api/v1/pause-all-keys", None, status=200) == {"paused": 2}

    assert program.stack.chat("hi", key=program.account.api_key).status_code == 401
    assert program.call("GET", "/api/v1/credits").status_code == 401


def test_pages_of_keys_follow_each_other(program: Program) -> None:
    for number in range(3):
        program.send("POST", "/api/v1/keys", {"name": f"key {number}"}, status=201)

    names, cursor = [], None
    while True:
        page = program.get("/api/v1/keys", limit=2, **({"cursor": cursor} if cursor else {}))
        names += [key["name"] for key in page["data"]]
        if not (cursor := page["next_cursor"]):
            break

    assert names == ["key 2", "key 1", "key 0", "program", "test"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x", "surprise": 1}, "surprise"),
        ({"name": "x", "rpm": 0}, "rpm"),
        ({"name": "x", "rpm": 1.5}, "rpm"),
        ({"name": "x", "rpm": True}, "rpm"),
        ({"name": "x", "rpm": "5"}, "rpm"),
        ({"name": "x", "rpm": 10**30}, "rpm"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["root"]}, "scopes.0"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "2040-01-01T00:00:00"}, "expires_at"),
        ({"name": "x", "expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"name": "x", "spend_limit": {"credits": "1e9"}}, "spend_limit.credits"),
        ({"name": "x", "spend_limit": {"credits": 5}}, "spend_limit.credits"),
        ({"name": "x", "spend_limit": {"credits": "0.0000001"}}, "spend_limit.credits"),
        ({"name": "x", "spend_limit": {"credits": "1", "period": "year"}}, "spend_limit.period"),
        ({"name": "x", "spend_limit": {"credits": "1", "zone": "Mars"}}, "spend_limit.zone"),
        ({"name": "x", "allowed_models": ["a*b"]}, "allowed_models"),
        ({"name": "x", "allowed_models": ["a"] * 101}, "allowed_models"),
        ({"name": "x", "allowed_ips": ["here"]}, "allowed_ips"),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(
    program: Program, body: dict[str, Any], param: str
) -> None:
    error = program.send("POST", "/api/v1/keys", body, status=400)["error"]

    assert error["param"] == param


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"null", b'{"name": "\xff"}', b"NaN"])
def test_what_is_no_object_is_refused(program: Program, body: bytes) -> None:
    answer = program.call("POST", "/api/v1/keys", data=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("cursor", ["x", "!!!", "MTIz", "OTk5OTk5OTk5OTk5OTk5OTk5OTk6eA=="])
def test_a_cursor_that_is_none_of_ours_is_refused(program: Program, cursor: str) -> None:
    answer = program.call("GET", "/api/v1/keys", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "cursor")


def test_keys_of_others_do_not_exist(hire: Hire) -> None:
    mine, theirs = hire(), hire()

    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
    ):
        body = {"name": "mine"} if method == "PATCH" else {}
        answer = mine.call(method, f"/api/v1/keys/{theirs.key.id}{path}", json=body)
        assert answer.status_code == 404, (method, answer.text)
    assert theirs.get(f"/api/v1/keys/{theirs.key.id}")["revoked_at"] is None


def test_a_managing_key_gives_no_more_than_it_has(hire: Hire) -> None:
    manager = hire(Scope.ACCOUNT_MANAGE)

    refused = manager.send("POST", "/api/v1/keys", {"name": "x"}, status=403)["error"]
    taken = manager.call("POST", f"/api/v1/keys/{hire(account=manager.account).key.id}/rotate")

    assert (refused["code"], refused["param"]) == ("exceeds_own_terms", "scopes")
    assert taken.status_code == 403
    assert manager.stack.chat("hi", key=manager.secret).status_code == 403
