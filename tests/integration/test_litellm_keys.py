"""Copies of keys at LiteLLM, against the stand-in; the stand-in against what was recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from adapters.litellm.admin import AdminClient
from adapters.litellm.keys import LiteLLMKeys
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.ports.upstream_keys import UpstreamKey
from tests.integration.sandbox_client import KEY, Client
from tests.stack import PATIENCE_S

RECORDED = Path(__file__).parents[1] / "data" / "litellm-admin-wire"
ALPHA = {"key_alias": "alpha"}
MINE = UpstreamKey(key_id="key-1", owner_id="owner-1", name="laptop", headroom_microusd=2_500_000)


@pytest.fixture
def desk(litellm: Client) -> Iterator[Client]:
    litellm.control("/litellm/keys", forget=True)
    yield litellm
    litellm.control(
        "/litellm/keys",
        forget=True,
        database_down=False,
        stores_nothing=False,
        refuses_alias=False,
    )


@pytest.fixture
def keys(desk: Client) -> LiteLLMKeys:
    admin = AdminClient(base_url=desk.base, master_key=KEY)
    return LiteLLMKeys(admin=admin, auth_secret=b"a secret of this test")


def stored(desk: Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = desk.control("/litellm/keys").json()["keys"]
    return rows


def call_with(desk: Client, secret: str) -> requests.Response:
    return requests.post(
        f"{desk.base}/v1/chat/completions",
        json={"model": "demo-chat", "messages": [{"role": "user", "content": "hi"}]},
        headers={"authorization": f"Bearer {secret}"},
        timeout=PATIENCE_S,
    )


def test_a_copy_is_made_once_and_opens_the_model(desk: Client, keys: LiteLLMKeys) -> None:
    name = keys.put(MINE)

    assert keys.put(MINE) == name
    [row] = stored(desk)
    assert name == row["token"] == hashlib.sha256(keys.secret("key-1").encode()).hexdigest()
    assert (row["key_alias"], row["user_id"]) == ("laptop (key-1)", "owner-1")
    assert row["max_budget"] == 2.5
    assert row["budget_duration"] is None
    assert call_with(desk, keys.secret("key-1")).status_code == 200


def test_a_budget_stands_above_what_was_spent_there(desk: Client, keys: LiteLLMKeys) -> None:
    keys.put(MINE)
    call_with(desk, keys.secret("key-1"))
    [row] = stored(desk)
    spent = row["spend"]
    assert spent > 0

    keys.put(MINE)

    [row] = stored(desk)
    assert row["max_budget"] == pytest.approx(2.5 + spent)


def test_a_secret_that_is_known_is_not_believed_to_be_stored(
    desk: Client, keys: LiteLLMKeys
) -> None:
    # As after a restore: the secret is there, under another name and budget.
    requests.post(
        f"{desk.base}/key/generate",
        json={"key": keys.secret("key-1"), "key_alias": "old", "max_budget": 0.1},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=PATIENCE_S,
    )

    keys.put(MINE)

    [row] = stored(desk)
    assert (row["key_alias"], row["max_budget"]) == ("laptop (key-1)", 2.5)


def test_a_server_that_stores_nothing_is_found_out(desk: Client, keys: LiteLLMKeys) -> None:
    desk.control("/litellm/keys", stores_nothing=True)

    with pytest.raises(UpstreamUnavailableError, match="does not have a key as it was sent"):
        keys.put(MINE)


def test_an_alias_that_is_taken_gives_way_to_another(desk: Client, keys: LiteLLMKeys) -> None:
    requests.post(
        f"{desk.base}/key/generate",
        json={"key": "sk-somebody-elses-key", "key_alias": "laptop (key-1)"},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=PATIENCE_S,
    )

    name = keys.put(MINE)

    aliases = {row["token"]: row["key_alias"] for row in stored(desk)}
    assert aliases[name] == f"creditcore {name}"


def test_a_removed_copy_opens_nothing_and_may_be_removed_again(
    desk: Client, keys: LiteLLMKeys
) -> None:
    keys.put(MINE)

    keys.remove("key-1")
    keys.remove("key-1")

    assert call_with(desk, keys.secret("key-1")).status_code == 401


def test_a_blocked_copy_is_opened_again(desk: Client, keys: LiteLLMKeys) -> None:
    name = keys.put(MINE)
    requests.post(
        f"{desk.base}/key/block",
        json={"key": name},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=PATIENCE_S,
    )
    assert call_with(desk, keys.secret("key-1")).status_code == 401

    keys.put(MINE)

    assert call_with(desk, keys.secret("key-1")).status_code == 200


def test_without_its_database_nothing_is_known(desk: Client, keys: LiteLLMKeys) -> None:
    assert keys.can_keep()
    desk.control("/litellm/keys", database_down=True)

    for attempt in (keys.can_keep, lambda: keys.put(MINE), lambda: keys.remove("key-1")):
        with pytest.raises(UpstreamUnavailableError):
            attempt()
    desk.control("/litellm/keys", database_down=False)
    keys.put(MINE)


def test_secrets_differ_by_key_and_by_installation(keys: LiteLLMKeys) -> None:
    other = LiteLLMKeys(admin=keys.admin, auth_secret=b"another")

    secrets = {keys.secret("key-1"), keys.secret("key-2"), other.secret("key-1")}

    assert len(secrets) == 3
    assert all(secret.startswith("sk-") and len(secret) >= 16 for secret in secrets)
    assert "a secret of this test" not in repr(keys)


# -- the stand-in ---------------------------------------------------------------------------


def recorded(version: str, name: str) -> tuple[int, dict[str, Any]]:
    text = (RECORDED / version / f"{name}.http").read_text()
    status = next(line for line in text.splitlines() if line.startswith("HTTP/"))
    return int(status.split()[1]), json.loads(text.strip().splitlines()[-1])


@pytest.mark.parametrize("version", ["1.91.5", "1.106.4"])
@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        (
            "key-generate-dup-alias",
            "/key/generate",
            {"key": "sk-" + "g" * 20, "key_alias": "alpha"},
        ),
        ("key-generate-bad-prefix", "/key/generate", {"key": "cc-live-abcdef123456"}),
        ("key-update-unknown", "/key/update", {"key": "sk-nope", "max_budget": 1}),
        ("key-delete-unknown", "/key/delete", {"keys": ["sk-nope"]}),
        ("key-block-unknown", "/key/block", {"key": "sk-nope"}),
    ],
)
def test_the_stand_in_refuses_as_recorded(
    desk: Client, version: str, name: str, path: str, body: dict[str, Any]
) -> None:
    post = {"key": "sk-" + "a" * 20, "key_alias": "alpha"}
    headers = {"authorization": f"Bearer {KEY}"}
    requests.post(f"{desk.base}/key/generate", json=post, headers=headers, timeout=PATIENCE_S)

    answer = requests.post(f"{desk.base}{path}", json=body, headers=headers, timeout=PATIENCE_S)

    status, document = recorded(version, name)
    assert answer.status_code == status
    if version == "1.106.4":
        assert answer.json() == document
    # The older one words some of them otherwise.
    assert set(answer.json()["error"]) == set(document["error"])
    assert answer.json()["error"]["type"] == document["error"]["type"]


@pytest.mark.parametrize("version", ["1.91.5", "1.106.4"])
def test_the_stand_in_says_what_was_recorded_of_a_key(desk: Client, version: str) -> None:
    secret = "sk-" + "a" * 20
    headers = {"authorization": f"Bearer {KEY}"}
    requests.post(
        f"{desk.base}/key/generate", json={"key": secret}, headers=headers, timeout=PATIENCE_S
    )

    said = requests.get(
        f"{desk.base}/key/info", params={"key": secret}, headers=headers, timeout=PATIENCE_S
    ).json()

    _, document = recorded(version, "key-info")
    assert set(said) == set(document)
    # "total_spend" came between the two versions.
    assert set(said["info"]) - {"total_spend"} <= set(document["info"])
