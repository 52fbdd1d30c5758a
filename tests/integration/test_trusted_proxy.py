"""The application behind a proxy, built as it is served."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from flask import request
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
    client.application.add_url_rule("/address", view_func=lambda: request.host_url)
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}

    answer = client.get("/address", headers=headers)

    # The proxy's word for the protocol counts, so its headers were read at all.
    assert answer.text == "https://localhost/"


@pytest.mark.parametrize("host", ["localhost", "evil.example", "evil.example:8000"])
@pytest.mark.parametrize("path", ["/static//css", "/dashboard//billing"])
def test_a_slash_too_many_never_leads_away(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 308
    assert answer.headers["location"] == path.replace("//", "/")
