"""Balance, limits, quotes, usage, calls and money, as programs read them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from creditcore.domain.keys import Scope
from creditcore.domain.limits import KeyLimits, Period, SpendLimit
from creditcore.domain.money import Credits
from tests.e2e.api.conftest import Hire, Program
from tests.stack import PATIENCE_S, Stack, wait_until

CHAT = {
    "endpoint": "/v1/chat/completions",
    "body": {
        "model": "demo-chat",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "hello"}],
    },
}


def settled_call(program: Program, text: str = "hi") -> str:
    answer = program.stack.chat(text, key=program.secret, max_tokens=5)
    assert answer.status_code == 200, answer.text
    name: str = answer.headers["x-request-id"]
    wait_until(lambda: program.get(f"/api/v1/calls/{name}")["state"] != "open")
    return name


def test_a_quote_is_what_the_call_then_holds(program: Program) -> None:
    quoted = program.send("POST", "/api/v1/quote", CHAT, status=200)
    name = settled_call(program)

    assert (quoted["would_run"], quoted["refusal"]) == (True, None)
    assert Credits.parse(quoted["floor"]) <= Credits.parse(quoted["ceiling"])
    assert quoted["hold"] == quoted["ceiling"]
    assert program.get("/api/v1/credits")["held"] == "0"
    assert Credits.parse(program.get(f"/api/v1/calls/{name}")["hold"]) <= Credits.parse(
        quoted["hold"]
    )


def test_a_quote_says_why_it_would_not_run_and_what_would(hire: Hire) -> None:
    poor = hire(limits=KeyLimits(spend=SpendLimit(credits=Credits.parse("0.1"))))
    body = CHAT | {"body": CHAT["body"] | {"max_tokens": 4000}}  # type: ignore[operator]

    quoted = poor.send("POST", "/api/v1/quote", body, status=200)

    assert (quoted["would_run"], quoted["refusal_code"]) == (False, "insufficient_quota")
    assert quoted["affordable_output_tokens"] > 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"endpoint": "/v1/nothing"}, 400),
        ({"body": {}}, 400),
        ({"body": {"model": "no-such", "messages": [{"role": "user", "content": "x"}]}}, 404),
        ({"body": []}, 400),
    ],
)
def test_a_quote_for_what_cannot_be_served(
    program: Program, change: dict[str, Any], status: int
) -> None:
    program.send("POST", "/api/v1/quote", CHAT | change, status=status)


def test_everything_that_limits_a_key_is_shown(hire: Hire) -> None:
    spend = SpendLimit(credits=Credits.of(50), period=Period.DAY)
    limited = hire(
        limits=KeyLimits(spend=spend, rpm=10, tpm=1000, max_parallel=3, models=("demo*",))
    )
    settled_call(limited)

    found = limited.get("/api/v1/limits")

    assert found["spend"]["credits"] == "50"
    assert Credits.parse(found["spend"]["spent"]) > Credits(0)
    assert found["spend"]["resets_at"] is not None
    assert found["parallel"] == {"limit": 3, "running": 0}
    # On a slow machine one has come back already.
    assert found["requests_per_minute"]["remaining"] in {9, 10}
    assert found["tokens_per_minute"]["limit"] == 1000
    assert found["allowed_models"] == ["demo*"]
    assert found["credit_balance"] == found["spend"]["remaining"]


def test_a_key_without_limits_has_none(program: Program) -> None:
    found = program.get("/api/v1/limits")

    nothing = ("spend", "parallel", "requests_per_minute", "tokens_per_minute", "expires_at")
    assert all(found[name] is None for name in nothing)


def test_calls_are_listed_filtered_and_paged(program: Program) -> None:
    names = [settled_call(program) for _ in range(3)]

    first = program.get("/api/v1/calls", limit=2)
    second = program.get("/api/v1/calls", limit=2, cursor=first["next_cursor"])
    none = program.get("/api/v1/calls", model="other")
    mine = program.get("/api/v1/calls", key_id=program.key.id, state="settled", failed="false")
    future = program.get("/api/v1/calls", since="2040-01-01T00:00:00Z")

    listed = [call["id"] for call in (*first["data"], *second["data"])]
    assert listed == names[::-1]
    assert second["next_cursor"] is None
    assert (none["data"], future["data"], len(mine["data"])) == ([], [], 3)


def test_refused_calls_are_listed_among_the_others(program: Program) -> None:
    before = settled_call(program)
    refused = program.stack.chat("hi", key=program.secret, model="no-such").headers["x-request-id"]
    wait_until(lambda: program.get("/api/v1/calls", state="refused")["data"])
    after = settled_call(program)

    listed: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = program.get("/api/v1/calls", limit=1, **({"cursor": cursor} if cursor else {}))
        listed, cursor = listed + page["data"], page["next_cursor"]
    one = program.get(f"/api/v1/calls/{refused}")

    assert [call["id"] for call in listed] == [after, refused, before]
    assert (one["state"], one["status"], one["error"]) == ("refused", 404, "model_not_found")
    assert "no-such" in one["reason"]
    assert (one["lines"], one["charge"]) == ([], "0")
    for asked, names in (
        ({"failed": "false"}, [after, before]),
        ({"failed": "true"}, [refused]),
        ({"state": "settled"}, [after, before]),
        ({"endpoint": "/v1/messages"}, []),
    ):
        found = program.get("/api/v1/calls", **asked)["data"]
        assert [call["id"] for call in found] == names, asked


@pytest.mark.parametrize("by", ["hour", "day", "model", "key", "endpoint"])
def test_usage_is_cut_as_asked_and_adds_up(program: Program, by: str) -> None:
    settled_call(program)
    settled_call(program)

    found = program.get("/api/v1/usage", group_by=by, zone="Africa/Nairobi")

    charges = [Credits.parse(row["charge"]) for row in found["data"]]
    assert found["total"]["calls"] == 2 == sum(row["calls"] for row in found["data"])
    assert sum(charges, Credits(0)) == Credits.parse(found["total"]["charge"]) > Credits(0)


def test_days_begin_at_midnight_of_the_zone(program: Program) -> None:
    found = program.get(
        "/api/v1/usage",
        zone="Africa/Nairobi",
        since="2026-11-02T00:00:00+03:00",
        until="2026-11-04T00:00:00+03:00",
    )

    assert [row["start"] for row in found["data"]] == [
        "2026-11-01T21:00:00Z",
        "2026-11-02T21:00:00Z",
    ]


def test_usage_as_csv_is_the_same(program: Program) -> None:
    settled_call(program)
    now = datetime.now(UTC)
    asked = {"group_by": "model", "since": (now - timedelta(days=1)).isoformat()}

    answer = program.call("GET", "/api/v1/usage", params=asked | {"format": "csv"})
    [row] = csv.DictReader(io.StringIO(answer.text))

    assert answer.headers["content-type"].startswith("text/csv")
    assert (row["model"], row["calls"]) == ("demo-chat", "1")


@pytest.mark.parametrize(
    "params",
    [
        {"group_by": "week"},
        {"zone": "Mars"},
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59Z"},
        {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"group_by": "hour", "since": "2020-01-01T00:00:00Z"},
        {"group_by": "endpoint", "model": "demo-chat"},
        {"surprise": "1"},
        [("zone", "UTC"), ("zone", "UTC")],
    ],
)
def test_usage_that_means_nothing_is_refused(program: Program, params: Any) -> None:
    answer = program.call("GET", "/api/v1/usage", params=params)

    assert answer.status_code == 400, answer.text


def test_movements_and_purchases_are_listed(program: Program) -> None:
    kinds = [row["kind"] for row in program.get("/api/v1/transactions")["data"]]
    first = program.get("/api/v1/transactions", limit=1)

    assert "grant" in kinds
    assert len(first["data"]) == 1
    assert program.get("/api/v1/purchases") == {"data": [], "next_cursor": None}


def test_a_list_that_has_not_changed_is_not_sent_again(program: Program) -> None:
    first = program.call("GET", "/api/v1/transactions")
    again = program.call(
        "GET", "/api/v1/transactions", headers={"if-none-match": first.headers["etag"]}
    )

    assert (again.status_code, again.content) == (304, b"")


def test_problem_details_where_they_are_asked_for(program: Program) -> None:
    answer = program.call(
        "GET", "/api/v1/keys/no-such", headers={"accept": "application/problem+json"}
    )

    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["code"]) == (404, "not_found")


def test_balance_widgets_are_answered(hire: Hire) -> None:
    program = hire(limits=KeyLimits(spend=SpendLimit(credits=Credits.of(150)), rpm=7))
    settled_call(program)

    total = program.get("/v1/dashboard/billing/subscription")["hard_limit_usd"]
    used = program.get("/v1/dashboard/billing/usage", start_date="2026-01-01")["total_usage"]
    described = program.get("/api/v1/key")["data"]

    assert total == 1.5
    assert 0 < used < 150
    assert (described["limit"], described["rate_limit"]["requests"]) == (1.5, 7)
    assert described["limit_remaining"] == pytest.approx(1.5 - used / 100)


def test_a_key_for_inference_sees_its_own_calls_alone(hire: Hire) -> None:
    owner = hire()
    name = settled_call(owner)
    other = hire(Scope.INFERENCE, account=owner.account)

    assert other.call("GET", f"/api/v1/calls/{name}").status_code == 404
    assert other.get(f"/api/v1/calls/{settled_call(other)}")["key_id"] == other.key.id


def test_the_page_of_the_api_names_every_operation(stack: Stack) -> None:
    page = requests.get(f"{stack.base_url}/api/docs", timeout=PATIENCE_S)
    document = requests.get(f"{stack.base_url}/api/openapi.json", timeout=PATIENCE_S).json()

    assert page.status_code == 200
    for path in document["paths"]:
        assert path in page.text
