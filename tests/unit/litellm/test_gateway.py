import contextlib
import gzip

import pytest
import requests
import responses

from adapters.litellm import admin
from adapters.litellm.admin import AdminClient
from adapters.litellm.gateway import LiteLLMGateway
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.ports.model_gateway import ModelGateway
from tests.unit.wires.recordings import VERSIONS, body_of

BASE = "http://litellm.test/prefix"


def a_gateway() -> ModelGateway:
    return LiteLLMGateway(AdminClient(base_url=f"{BASE}/", master_key="sk-master"))


@responses.activate
@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_list_gives_its_priced_models(version: str) -> None:
    responses.get(f"{BASE}/model/info", body=body_of(version, "model-info"))

    names = [price.model for price in a_gateway().fetch_catalogue().prices]

    assert "gpt-4o-mini" in names
    assert "text-embedding-3-small" in names
    sent = responses.calls[0].request.headers
    assert sent["authorization"] == "Bearer sk-master"
    assert sent["accept-encoding"] == "identity"


@responses.activate
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": []}', b'{"data": [{}]}'])
def test_list_without_a_usable_price_is_no_list(body: bytes) -> None:
    responses.get(f"{BASE}/model/info", body=body)

    with pytest.raises(UpstreamUnavailableError):
        a_gateway().fetch_catalogue()


@responses.activate
@pytest.mark.parametrize("status", [201, 301, 302, 307, 401, 403, 404, 500, 503])
def test_only_a_plain_success_counts_and_redirects_are_not_followed(status: int) -> None:
    elsewhere = {"location": "http://elsewhere.test/"}
    responses.get(f"{BASE}/model/info", status=status, headers=elsewhere)

    with pytest.raises(UpstreamUnavailableError):
        a_gateway().fetch_catalogue()
    assert len(responses.calls) == 1


@responses.activate
def test_unreachable_server_is_unavailable() -> None:
    responses.get(f"{BASE}/model/info", body=requests.ConnectionError("sk-master at 10.0.0.7"))

    with pytest.raises(UpstreamUnavailableError) as caught:
        a_gateway().fetch_catalogue()
    assert str(caught.value) == "The model server cannot be reached."


@responses.activate
def test_endless_answer_is_cut_off() -> None:
    responses.get(f"{BASE}/model/info", body=b" " * (33 * 1024 * 1024))

    with pytest.raises(UpstreamUnavailableError):
        a_gateway().fetch_catalogue()


@responses.activate
@pytest.mark.parametrize(("beyond", "is_taken"), [(0, True), (1, False)])
def test_an_answer_may_be_as_long_as_it_may_be_and_no_longer(
    monkeypatch: pytest.MonkeyPatch, beyond: int, is_taken: bool
) -> None:
    body = body_of(VERSIONS[0], "model-info")
    monkeypatch.setattr(admin, "_MAX_ANSWER_BYTES", len(body))
    responses.get(f"{BASE}/model/info", body=body + b" " * beyond)

    with contextlib.nullcontext() if is_taken else pytest.raises(UpstreamUnavailableError):
        assert a_gateway().fetch_catalogue()


@responses.activate
def test_what_would_grow_when_it_is_unpacked_is_refused() -> None:
    body = gzip.compress(body_of(VERSIONS[0], "model-info"))
    responses.get(f"{BASE}/model/info", body=body, headers={"content-encoding": "gzip"})

    with pytest.raises(UpstreamUnavailableError, match="compressed"):
        a_gateway().fetch_catalogue()


@responses.activate
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (302, False)])
def test_health_is_asked_without_the_key(status: int, healthy: bool) -> None:
    responses.get(f"{BASE}/health/liveliness", body=b'"I\'m alive!"', status=status)

    assert a_gateway().is_healthy() is healthy
    assert "authorization" not in responses.calls[0].request.headers


@responses.activate
def test_unreachable_server_is_not_healthy() -> None:
    assert a_gateway().is_healthy() is False


def test_key_is_not_shown() -> None:
    assert "sk-master" not in repr(a_gateway())
