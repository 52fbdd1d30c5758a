"""The application behind a proxy, built as it is served."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.stack import AUTH_SECRET, REPOSITORY


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client of the site behind one trusted proxy."""
    settings = {
        "AUTH_SECRET": AUTH_SECRET,
        "PAYSTACK_SECRET_KEY": "sk_test_something",
        "LITELLM_BASE_URL": "http://127.0.0.1:9",
        "LITELLM_MASTER_KEY": "sk-master",
        "DATA_DIR": str(tmp_path),
        "TRUSTED_PROXY_COUNT": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    client: FlaskClient = runpy.run_path(str(REPOSITORY / "wsgi.py"))["app"].test_client()
    return client


def test_a_client_does_not_choose_the_name_of_the_site(client: FlaskClient) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}

    answer = client.get("/static//css", headers=headers)

    # The proxy's word for the protocol counts, so its headers were read at all.
    assert answer.headers["location"] == "https://localhost/static/css"
