"""Prometheus gets its figures from every process, and no other caller gets any."""

from __future__ import annotations

import requests

from tests.faults.wire import call, chat_body
from tests.stack import METRICS_TOKEN, PATIENCE_S, Stack, wait_until

HI = chat_body("[[sim tokens=3 prompt=11]]")


def scraped(stack: Stack, token: str = METRICS_TOKEN) -> requests.Response:
    return requests.get(
        f"{stack.base_url}/metrics",
        headers={"authorization": f"Bearer {token}"} if token else {},
        timeout=PATIENCE_S,
    )


def calls_counted(stack: Stack) -> float:
    answer = scraped(stack)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return sum(
        float(line.rpartition(" ")[2])
        for line in answer.text.splitlines()
        if line.startswith("creditcore_calls_total") and 'outcome="done"' in line
    )


def test_the_calls_of_all_processes_are_added_up(stack: Stack) -> None:
    account = stack.an_account(credits_="1000")
    before = calls_counted(stack)

    for _ in range(12):
        assert call(stack.base_url, HI, key=account.api_key).status == 200

    # Each process writes down soon what it has counted.
    wait_until(lambda: calls_counted(stack) - before == 12)
    # Each process says soon how many calls upstream it could have; they are added up.
    processes = int(stack.environ["WEB_CONCURRENCY"])
    size = f'creditcore_pool_size{{pool="upstream"}} {1000.0 * processes}'
    wait_until(lambda: size in scraped(stack).text)
    assert account.api_key not in scraped(stack).text


def test_without_the_token_there_is_nothing(sqlite_stack: Stack) -> None:
    for token in ("", "wrong", METRICS_TOKEN[:-1]):
        answer = scraped(sqlite_stack, token)
        assert answer.status_code == 401
        assert "creditcore_calls" not in answer.text
