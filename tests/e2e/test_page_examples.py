"""The examples that pages show work as printed, and tell what they cost."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
import requests

from creditcore import Credits
from tests.stack import PATIENCE_S, Account, Stack


def shown(stack: Stack, pattern: str) -> str:
    """Return a piece of code as the landing page reads."""
    page = requests.get(stack.base_url, timeout=PATIENCE_S).text
    [code] = re.findall(pattern, page, re.DOTALL)
    return html.unescape(re.sub("<[^>]*>", "", code))


def example(stack: Stack, language: str) -> str:
    return shown(stack, f'<code id="code-{language}">(.*?)</code>')


def cost_of_last_call(stack: Stack, account: Account) -> Credits:
    stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    charged: Credits = call.charged
    return charged


def run_curl(command: str, account: Account) -> list[dict[str, Any]]:
    """Do what a curl command says; return the chunks of its answer."""
    words = shlex.split(command)
    [url] = [word for word in words if word.startswith("http")]
    options = list(pairwise(words))
    assert ("-H", "Authorization: Bearer $CREDITCORE_API_KEY") in options
    [body] = [value for option, value in options if option in ("-d", "--json")]
    answer = requests.post(
        url,
        data=body.encode(),
        headers={
            "authorization": f"Bearer {account.api_key}",
            "content-type": "application/json",
        },
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 200, answer.text
    *events, last = re.findall(r"^data: (.*)$", answer.text, re.MULTILINE)
    assert last == "[DONE]"
    return [json.loads(event) for event in events]


@pytest.fixture
def account(sqlite_stack: Stack) -> Account:
    return sqlite_stack.an_account()


def test_the_python_example_tells_its_cost(sqlite_stack: Stack, account: Account) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example(sqlite_stack, "python")],
        env={**os.environ, "CREDITCORE_API_KEY": account.api_key},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )

    answer, cost = done.stdout.rsplit("\ncredits: ", 1)
    assert answer
    assert Credits.parse(cost.strip()) == cost_of_last_call(sqlite_stack, account)


def test_the_curl_example_tells_its_cost(sqlite_stack: Stack, account: Account) -> None:
    chunks = run_curl(example(sqlite_stack, "curl"), account)

    cost = Credits.parse(chunks[-1]["usage"]["cost"])
    assert cost == cost_of_last_call(sqlite_stack, account)


def test_the_terminal_tells_its_cost(sqlite_stack: Stack, account: Account) -> None:
    terminal = shown(sqlite_stack, '<div class="terminal__window">.*?<code>(.*?)</code>')
    command, _, answer = terminal.partition("\n\n")

    chunks = run_curl(command.removeprefix("$ "), account)

    assert '"cost":"' in answer
    cost = Credits.parse(chunks[-1]["usage"]["cost"])
    assert cost == cost_of_last_call(sqlite_stack, account)


def test_the_node_example_asks_for_its_cost(sqlite_stack: Stack) -> None:
    code = example(sqlite_stack, "node")

    assert "stream_options: { include_usage: true }" in code
    assert "chunk.usage.cost" in code
