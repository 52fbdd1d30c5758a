"""The application behind a proxy, built as it is served."""

from __future__ import annotations

from pathlib import Path

from wsgi import build


def environment(data_dir: Path) -> dict[str, str]:
    return {
        "AUTH_SECRET": "a-secret-for-tests-0123456789-abcdef",
        "PAYSTACK_SECRET_KEY": "sk_test_something",
        "LITELLM_BASE_URL": "http://127.0.0.1:9",
        "LITELLM_MASTER_KEY": "sk-master",
        "DATA_DIR": str(data_dir),
        "TRUSTED_PROXY_COUNT": "1",
    }


def test_a_client_does_not_choose_the_name_of_the_site(tmp_path: Path) -> None:
    client = build(environment(tmp_path)).test_client()

    answer = client.get("/static//css", headers={"X-Forwarded-Host": "evil.example"})

    assert "evil.example" not in answer.headers.get("location", "")


def test_the_protocol_is_taken_from_the_proxy(tmp_path: Path) -> None:
    client = build(environment(tmp_path)).test_client()

    answer = client.get("/static//css", headers={"X-Forwarded-Proto": "https"})

    assert answer.headers.get("location", "https://").startswith("https://")
