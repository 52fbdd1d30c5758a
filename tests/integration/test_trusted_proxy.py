"""The application behind a proxy, built as it is served."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from flask import request
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

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


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
@pytest.mark.parametrize("path", ["/static//css", "/dashboard//billing"])
def test_a_slash_too_many_never_leads_away(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 308
    assert answer.headers["location"] == path.replace("//", "/")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("path", ["/", "/sign-in", "/static//css", "/dashboard//billing"])
def test_a_page_answers_under_no_other_name(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert answer.json
    assert answer.json["error"]["code"] == "unknown_host"
    assert "pass the Host header on" in answer.json["error"]["message"]
    assert "evil" not in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/api/v1/credits"])
def test_programs_may_call_it_as_their_network_does(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "creditcore-7f9c:8000"})

    assert answer.status_code in {200, 401}


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/models"])
@pytest.mark.parametrize("host", ["", "a, b", "a/../b?x#y@z", "a b", "a:99999", "user@a"])
def test_what_names_no_host_is_refused(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert answer.json
    assert answer.json["error"]["code"] == "unknown_host"


@pytest.mark.parametrize(
    ("path", "protocol", "status"),
    [
        ("/healthz", "HTTP/1.0", 200),
        ("/healthz", "HTTP/1.1", 400),
        ("/v1/models", "HTTP/1.1", 400),
        ("/", "HTTP/1.0", 400),
    ],
)
def test_only_an_old_probe_may_name_no_host(
    client: FlaskClient, path: str, protocol: str, status: int
) -> None:
    environ = EnvironBuilder(path=path).get_environ()
    del environ["HTTP_HOST"]
    environ["SERVER_PROTOCOL"] = protocol

    _, answered, _ = run_wsgi_app(client.application.wsgi_app, environ)

    assert int(answered.split()[0]) == status
