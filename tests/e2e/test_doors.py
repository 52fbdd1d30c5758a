"""How clients find their way in: from browsers, with odd base URLs, with keys of others."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from tests.stack import PATIENCE_S, Account, Stack

CALL = {"model": "demo-chat", "messages": [{"role": "user", "content": "Hi"}]}
WIRES = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
]


@pytest.fixture(scope="module")
def account(sqlite_stack: Stack) -> Account:
    return sqlite_stack.an_account()


@pytest.mark.parametrize("path", [*WIRES, "/v1/models", "/v1/nothing", "/chat/completions"])
def test_a_browser_may_ask_from_anywhere_and_needs_no_key(sqlite_stack: Stack, path: str) -> None:
    answer = requests.options(
        f"{sqlite_stack.base_url}{path}",
        headers={
            "origin": "https://chat.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-stainless-os,a;b",
        },
        timeout=PATIENCE_S,
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert allowed == ["authorization", "content-type", "x-stainless-os"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("stream", [True, False])
def test_a_page_of_another_site_reads_the_answer_and_its_cost(
    sqlite_stack: Stack, account: Account, *, stream: bool
) -> None:
    answer = sqlite_stack.post(
        "/v1/chat/completions",
        {**CALL, "stream": stream},
        key=account.api_key,
        headers={"origin": "https://chat.example"},
    )

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    # The star is for the headers of limits, whose names differ between protocols.
    assert {"x-credits-cost", "*"} <= set(exposed)
    assert "access-control-allow-credentials" not in answer.headers


def test_a_refusal_can_be_read_by_a_page_too(sqlite_stack: Stack) -> None:
    answer = requests.post(
        f"{sqlite_stack.base_url}/v1/chat/completions", json=CALL, timeout=PATIENCE_S
    )

    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_site_lets_no_other_site_read_it(sqlite_stack: Stack) -> None:
    for path in ("/", "/api/v1/credits", "/healthz"):
        answer = requests.get(
            f"{sqlite_stack.base_url}{path}",
            headers={"origin": "https://chat.example"},
            timeout=PATIENCE_S,
        )

        assert "access-control-allow-origin" not in answer.headers


def test_a_refused_key_is_final_in_words_that_clients_know(sqlite_stack: Stack) -> None:
    answer = sqlite_stack.post("/v1/chat/completions", CALL, key="sk-of-another-service")

    assert answer.status_code == 401
    assert answer.headers["x-should-retry"] == "false"
    assert "Incorrect API key provided" in answer.json()["error"]["message"]


def test_a_base_url_without_its_end_is_understood(sqlite_stack: Stack, account: Account) -> None:
    answer = sqlite_stack.post("/chat/completions", CALL, key=account.api_key)

    assert answer.status_code == 200
    assert answer.json()["object"] == "chat.completion"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/v1/chat/completions",
        "/v1/chat/completions/",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/chat/completions/",
    ],
)
def test_a_base_url_with_a_part_too_many_is_understood(
    sqlite_stack: Stack, account: Account, path: str
) -> None:
    address = urlsplit(sqlite_stack.base_url)
    with closing(HTTPConnection(address.netloc, timeout=PATIENCE_S)) as connection:
        headers = {"authorization": f"Bearer {account.api_key}"}
        connection.request("POST", path, body=json.dumps(CALL), headers=headers)
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("path", ["/models", "/v1/models/", "/v1/v1/models"])
def test_the_list_of_models_is_found_by_those_who_bring_a_key(
    sqlite_stack: Stack, account: Account, path: str
) -> None:
    answer = requests.get(
        f"{sqlite_stack.base_url}{path}",
        headers={"authorization": f"Bearer {account.api_key}"},
        timeout=PATIENCE_S,
    )

    assert answer.json()["object"] == "list"
    page = requests.get(f"{sqlite_stack.base_url}/models", timeout=PATIENCE_S)
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "path",
    [
        "/models/demo-chat",
        "/v1/models/demo-chat/",
        "/v1/v1/models/demo-chat",
        "//v1/models/demo-chat",
    ],
)
def test_one_model_is_found_by_those_who_bring_a_key(
    sqlite_stack: Stack, account: Account, path: str
) -> None:
    address = urlsplit(sqlite_stack.base_url)
    with closing(HTTPConnection(address.netloc, timeout=PATIENCE_S)) as connection:
        connection.request("GET", path, headers={"authorization": f"Bearer {account.api_key}"})
        answer = connection.getresponse()
        assert json.loads(answer.read())["id"] == "demo-chat"
    page = requests.get(f"{sqlite_stack.base_url}/models/demo-chat", timeout=PATIENCE_S)
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "headers",
    [
        {"anthropic-beta": ""},
        {"x-api-key": "", "api-key": ""},
        {"content-encoding": ""},
        {"content-encoding": "Identity"},
        {"content-encoding": "utf-8"},
    ],
)
def test_a_header_that_says_nothing_is_no_reason_to_refuse(
    sqlite_stack: Stack, account: Account, headers: dict[str, str]
) -> None:
    answer = sqlite_stack.post(
        "/v1/messages", {**CALL, "max_tokens": 10}, key=account.api_key, headers=headers
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers", [{"api-key": ""}, {"x-api-key": "", "anthropic-version": "2023-06-01"}]
)
def test_the_key_of_each_protocol_finds_the_list_of_models(
    sqlite_stack: Stack, account: Account, headers: dict[str, str]
) -> None:
    headers = {name: value or account.api_key for name, value in headers.items()}

    answer = requests.get(f"{sqlite_stack.base_url}/models", headers=headers, timeout=PATIENCE_S)

    assert "demo-chat" in [model["id"] for model in answer.json()["data"]]
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/models", "/openai/v1/models"])
@pytest.mark.parametrize("name", ["Authorization", "api-key", "x-api-key"])
def test_a_browser_may_ask_for_the_models_with_a_key(
    sqlite_stack: Stack, name: str, path: str
) -> None:
    asking = {
        "origin": "https://chat.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": f"x-stainless-os, {name}",
    }

    answer = requests.options(f"{sqlite_stack.base_url}{path}", headers=asking, timeout=PATIENCE_S)

    assert answer.status_code == 204
    assert name in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "path", ["/openai/v1/models", "/openai/models", "/anthropic/v1/models", "/v1beta/openai/models"]
)
def test_models_behind_the_base_url_of_another_service_are_told_ours(
    sqlite_stack: Stack, account: Account, path: str
) -> None:
    url = f"{sqlite_stack.base_url}{path}"
    key = {"authorization": f"Bearer {account.api_key}"}

    answer = requests.get(url, headers=key, timeout=PATIENCE_S)
    page = requests.get(url, timeout=PATIENCE_S)

    assert answer.status_code == page.status_code == 404
    assert f" {sqlite_stack.base_url}/v1, " in answer.json()["error"]["message"]
    assert page.headers["content-type"].startswith("text/html")


def test_models_of_the_account_are_no_base_url_of_another_service(
    sqlite_stack: Stack, account: Account
) -> None:
    url = f"{sqlite_stack.base_url}/api/v1/models"
    key = {"authorization": f"Bearer {account.api_key}"}

    assert requests.get(url, headers=key, timeout=PATIENCE_S).status_code == 200


def test_a_key_of_another_service_beside_ours_does_no_harm(
    sqlite_stack: Stack, account: Account
) -> None:
    body = {**CALL, "max_tokens": 10}

    answer = sqlite_stack.post(
        "/v1/messages",
        body,
        key=account.api_key,
        headers={"x-api-key": "sk-ant-of-another-service"},
    )

    assert answer.status_code == 200


def test_two_keys_of_ours_that_differ_open_nothing(sqlite_stack: Stack, account: Account) -> None:
    other = sqlite_stack.a_key(account.person_id)

    answer = sqlite_stack.post(
        "/v1/messages",
        {**CALL, "max_tokens": 10},
        key=account.api_key,
        headers={"x-api-key": other},
    )

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        ("/v1/chat/completions", "max_tokens", CALL),
        ("/v1/responses", "max_output_tokens", {"model": "demo-chat", "input": "Hi"}),
        ("/v1/messages", "max_tokens", CALL),
    ],
)
def test_a_poor_client_is_told_the_field_of_its_own_wire(
    sqlite_stack: Stack, path: str, field: str, body: dict[str, object]
) -> None:
    poor = sqlite_stack.an_account(credits_="0.1")

    answer = sqlite_stack.post(path, {**body, field: 16_000}, key=poor.api_key)

    assert answer.status_code == 402
    assert f"Lower {field} to " in answer.json()["error"]["message"]


def test_a_stored_conversation_is_refused_so_that_sdks_fall_back(
    sqlite_stack: Stack, account: Account
) -> None:
    answer = sqlite_stack.post(
        "/v1/messages", {**CALL, "max_tokens": 10, "thread": "t_1"}, key=account.api_key
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {
        "error_code": "thread_unsupported_request",
        "unsupported": ["thread"],
    }
