"""LiteLLM's log of calls: pages of the stand-in, and rows as they were recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import responses

from adapters.litellm.admin import AdminClient
from adapters.litellm.spend_log import LiteLLMSpendLog
from creditcore.domain.errors import UpstreamUnavailableError
from tests.integration.sandbox_client import KEY, Client

RECORDED = Path(__file__).parents[1] / "data" / "litellm-admin-wire"
BASE = "http://litellm.test"
DAY = datetime(2026, 11, 29, tzinfo=UTC)


def recorded(version: str) -> str:
    return (RECORDED / version / "spend-logs-v2.http").read_text().strip().splitlines()[-1]


@responses.activate
@pytest.mark.parametrize(
    ("version", "call_id", "cost"),
    [
        ("1.91.5", "60315984-68da-4b53-bd6e-a03abd43428f", 90_000_000),
        ("1.106.4", "2bc2223d-bc69-481d-9f04-3e1b136ac608", 88_000_000),
    ],
)
def test_recorded_rows_are_read(version: str, call_id: str, cost: int) -> None:
    document = json.loads(recorded(version)) | {"total_pages": 1}
    responses.get(f"{BASE}/spend/logs/v2", body=json.dumps(document))
    log = LiteLLMSpendLog(AdminClient(base_url=BASE, master_key="sk-master"))

    rows = list(log.rows(start=DAY, end=DAY + timedelta(days=1)))

    first = rows[0]
    assert (first.call_id, first.picodollars, first.model) == (call_id, cost, "demo-chat")
    assert first.prompt_tokens > 0
    assert first.started_at.date() == DAY.date()


def test_all_pages_are_read_once_and_only_of_the_time_asked_for(litellm: Client) -> None:
    for number in range(250):
        row = {
            "call_id": f"call-{number}",
            "api_key": "hash",
            "model": "demo-chat",
            "spend": 0.5,
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "started_at": DAY.timestamp() + number,
        }
        litellm.control("/litellm/spend", add=row)
    log = LiteLLMSpendLog(AdminClient(base_url=litellm.base, master_key=KEY))

    rows = list(log.rows(start=DAY + timedelta(seconds=5), end=DAY + timedelta(seconds=240)))

    assert {row.call_id for row in rows} == {f"call-{number}" for number in range(5, 240)}
    assert len(rows) == 235


@responses.activate
@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "{}"), (404, "{}"), (200, "[]"), (200, "{}"), (200, '{"data": 1}'), (200, "<html>")],
)
def test_what_is_no_log_is_refused(status: int, body: str) -> None:
    responses.get(f"{BASE}/spend/logs/v2", status=status, body=body)
    log = LiteLLMSpendLog(AdminClient(base_url=BASE, master_key="sk-master"))

    with pytest.raises(UpstreamUnavailableError):
        list(log.rows(start=DAY, end=DAY + timedelta(days=1)))


@responses.activate
def test_rows_that_name_nothing_are_left_out() -> None:
    entries = [None, 1, {}, {"request_id": "x"}, {"startTime": "soon", "request_id": "x"}]
    good = {"request_id": "x", "startTime": "2026-11-29T01:00:00Z", "spend": None}
    body = {"data": [*entries, good], "total_pages": 1}
    responses.get(f"{BASE}/spend/logs/v2", json=body)
    log = LiteLLMSpendLog(AdminClient(base_url=BASE, master_key="sk-master"))

    [row] = log.rows(start=DAY, end=DAY + timedelta(days=1))

    assert (row.call_id, row.picodollars) == ("x", 0)
