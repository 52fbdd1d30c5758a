"""Calls made at LiteLLM itself: its hooks, our two files in them, and the API they speak to."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from creditcore import Basis, Credits, HoldState, KeySecret, ModelPrice, Rates
from creditcore.domain.money import ZERO
from tests.integration.test_access_matrix import Site

TOKEN = "of direct mode 0123456789 0123456789"
FILES = Path(__file__).resolve().parents[2] / "contrib" / "litellm"
# Of each token read 0.000001 USD, of each written 0.000002: 100 and 200 microcredits, twice.
RATES = Rates(
    input=10**24,
    output=2 * 10**24,
    cache_read=10**24,
    cache_write=10**24,
    cache_write_1h=10**24,
    reasoning=2 * 10**24,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("direct"), LITELLM_DIRECT_TOKEN=TOKEN)
    price = ModelPrice(model="demo", rates=RATES, max_input_tokens=1000, max_output_tokens=500)
    with site.services.transactions.begin() as tx:
        tx.prices.replace_all([price], at=site.services.clock.now())
        tx.commit()
    return site


@pytest.fixture
def secret(site: Site) -> str:
    """The key of somebody with welcome credits."""
    person = site.visitor().person
    _, secret = site.services.keys.issuing.issue(person.id, name="direct")
    assert isinstance(secret, KeySecret)
    return secret.text


class InProcess(httpx.AsyncBaseTransport):
    """The network, as far as the site in this process; the first answers may get lost."""

    def __init__(self, site: Site, *, lost: int = 0) -> None:
        self._site = httpx.WSGITransport(app=site.app)
        self.lost = lost
        self.asked = 0
        self.traces: list[str | None] = []
        self.traceparent: str | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.traces.append(request.headers.get("traceparent"))
        content = await request.aread()
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        answer = self._site.handle_request(asked)
        body = answer.read()
        if self.lost:
            self.lost -= 1
            raise httpx.ReadTimeout("The answer got lost.")
        if self.traceparent and request.url.path.endswith("authorize"):
            # As a site answers that sends traces; this one sends none.
            body = json.dumps({**json.loads(body), "traceparent": self.traceparent}).encode()
            return httpx.Response(answer.status_code, content=body)
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


class RefusedError(Exception):
    """As LiteLLM's ``ProxyException``."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message, self.facts = message, facts


@pytest.fixture
def hooks(site: Site, monkeypatch: pytest.MonkeyPatch) -> Hooks:
    """LiteLLM's side of the hooks, as 1.91.5 has it, and our files in them."""
    stand_ins = {
        "litellm": {},
        "litellm.proxy": {},
        "litellm.proxy._types": {
            "LitellmUserRoles": SimpleNamespace(PROXY_ADMIN="admin", INTERNAL_USER="user"),
            "ProxyException": RefusedError,
            "UserAPIKeyAuth": lambda **told: SimpleNamespace(**{"metadata": {}, **told}),
        },
        "litellm.integrations": {},
        "litellm.integrations.custom_logger": {"CustomLogger": object},
    }
    for name, contents in stand_ins.items():
        module = ModuleType(name)
        module.__dict__.update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("CREDITCORE_URL", "http://creditcore.test")
    monkeypatch.setenv("CREDITCORE_TOKEN", TOKEN)
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-master")
    return Hooks(site, loaded("creditcore_auth"), loaded("creditcore_callback"))


def loaded(name: str) -> Any:
    """Load a file as LiteLLM does: by its path, afresh."""
    spec = importlib.util.spec_from_file_location(name, FILES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Hooks:
    """What LiteLLM does with one request."""

    def __init__(self, site: Site, auth: Any, callback: Any) -> None:
        self.site = site
        self.auth, self.callback = auth, callback
        self.network = auth.TRANSPORT = callback.TRANSPORT = InProcess(site)

    def run(self, act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        # Browser tests of the same process keep a loop running in this thread.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, act()).result()

    async def begin(
        self,
        secret: str,
        body: object,
        *,
        path: str = "/v1/chat/completions",
        method: str = "POST",
        traceparent: str = "",
    ) -> tuple[Any, dict[str, Any]]:
        """Return whose request it is, and what LiteLLM would run."""
        request = Request(method, path, json.dumps(body).encode(), traceparent=traceparent)
        known = await self.auth.authorize(request, secret)
        names, parsed = request.scope.get("parsed_body", ((), {}))
        data = {name: parsed[name] for name in names}
        data["litellm_call_id"] = request.headers.get("x-litellm-call-id", "another")
        return known, data

    async def ran(self, known: Any, usage: dict[str, object], **more: object) -> None:
        told = {
            "metadata": {"user_api_key_auth_metadata": known.metadata, "usage_object": usage},
            "response_cost": 3e-05,
            "startTime": 1.0,
            "completionStartTime": 1.25,
            "endTime": 2.5,
            **more,
        }
        done = self.callback.callback.async_log_success_event
        await done({"standard_logging_object": told}, None, None, None)

    def hold(self, known: Any) -> Any:
        call_id = known.metadata["creditcore"]["call_id"]
        with self.site.services.transactions.begin() as tx:
            return tx.calls.find_all([call_id])[call_id]


class Headers:
    """As Starlette's: a view of the scope's own list, of which ``raw`` is a copy."""

    def __init__(self, listed: list[tuple[bytes, bytes]]) -> None:
        self._listed = listed

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        return list(self._listed)

    def items(self) -> list[tuple[str, str]]:
        return [(name.decode(), value.decode()) for name, value in self.raw]

    def get(self, name: str, default: str) -> str:
        return dict(self.items()).get(name, default)


class Request:
    """As Starlette's, as far as custom auth may use it."""

    def __init__(self, method: str, path: str, body: bytes, *, traceparent: str = "") -> None:
        self.method, self._body = method, body
        self.url = SimpleNamespace(path=f"/below{path}")
        self.client = SimpleNamespace(host="10.0.0.7")
        headers = [(b"x-litellm-call-id", b"mine"), (b"x-litellm-timeout", b"1")]
        self.state = SimpleNamespace()
        if traceparent:
            headers.append((b"traceparent", traceparent.encode()))
        self.headers = Headers(headers)
        self.scope: dict[str, Any] = {"root_path": "/below", "headers": headers}

    async def body(self) -> bytes:
        return self._body


ASKED = {
    "model": "demo",
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "store": True,
    "metadata": {"tags": ["mine"]},
}
USED = {"prompt_tokens": 10, "completion_tokens": 10}


def test_a_call_is_held_for_run_as_allowed_and_settled(hooks: Hooks, secret: str) -> None:
    async def call() -> Any:
        known, data = await hooks.begin(secret, ASKED)
        checked = await hooks.callback.callback.async_pre_call_hook(known, None, data, "completion")
        assert checked is data
        assert hooks.hold(known).is_open
        await hooks.ran(known, USED)
        return known, data

    known, data = hooks.run(call)

    assert data.keys() == {"model", "messages", "stream", "stream_options", "litellm_call_id"}
    assert data["stream_options"] == {"include_usage": True}
    hold = hooks.hold(known)
    assert data["litellm_call_id"] == hold.reference != "mine"
    assert (hold.state, hold.charged) == (HoldState.SETTLED, Credits(6_000))
    assert (hold.outcome.latency_ms, hold.outcome.first_byte_ms) == (1500, 250)
    assert hold.outcome.reported_cost_picodollars == 30_000_000
    assert (known.api_key, hold.call.endpoint) == (hold.call.key_id, "/v1/chat/completions")


def test_answers_that_get_lost_are_asked_for_again(
    hooks: Hooks, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks.callback, "PAUSES_S", (0.0, 0.0, 0.0))

    async def call() -> Any:
        hooks.network.lost = 1
        known, _ = await hooks.begin(secret, ASKED)
        hooks.network.lost = 2
        await hooks.ran(known, USED)
        return known

    known = hooks.run(call)

    assert hooks.network.asked == 5
    assert hooks.hold(known).charged == Credits(6_000)


def test_a_client_that_leaves_is_charged_for_what_it_got(hooks: Hooks, secret: str) -> None:
    async def call() -> Any:
        known, _ = await hooks.begin(secret, ASKED)
        error = {"error_message": "Client disconnected the request"}
        await hooks.ran(known, USED, error_information=error)
        return known

    outcome = hooks.hold(hooks.run(call)).outcome

    assert (outcome.status, outcome.error) == (499, "client_left")


async def pieces(*written: str, failing: bool = False) -> AsyncIterator[object]:
    for text in written:
        delta = SimpleNamespace(content=text)
        yield SimpleNamespace(choices=[SimpleNamespace(delta=delta)])
    if failing:
        raise ConnectionError("gone")


@pytest.mark.parametrize("failing", [False, True])
def test_a_stream_that_breaks_off_is_charged_by_what_passed(
    hooks: Hooks, secret: str, monkeypatch: pytest.MonkeyPatch, failing: bool
) -> None:
    monkeypatch.setattr(hooks.callback, "GRACE_S", 0.0)
    callback = hooks.callback.callback

    async def call() -> Any:
        known, _ = await hooks.begin(secret, ASKED)
        source = pieces("Hello you ", "there", failing=failing)
        stream = callback.async_post_call_streaming_iterator_hook(known, source, {})
        if failing:
            with pytest.raises(ConnectionError):
                [piece async for piece in stream]
            await callback.async_post_call_failure_hook({}, ConnectionError("gone"), known)
        else:
            await anext(stream)
            await stream.aclose()
            await asyncio.gather(*callback._telling)
        return known

    outcome = hooks.hold(hooks.run(call)).outcome

    assert outcome.basis is Basis.COUNTED_OUTPUT
    assert outcome.usage.prompt_tokens > 0
    assert outcome.usage.completion_tokens == (5 if failing else 3)
    assert (outcome.status, outcome.error) == (
        (502, "ConnectionError") if failing else (499, "client_left")
    )


def test_a_stream_that_ends_well_is_left_to_litellms_count(hooks: Hooks, secret: str) -> None:
    async def call() -> Any:
        known, _ = await hooks.begin(secret, ASKED)
        stream = hooks.callback.callback.async_post_call_streaming_iterator_hook(
            known, pieces("Hello"), {}
        )
        assert len([piece async for piece in stream]) == 1
        assert hooks.hold(known).is_open
        await hooks.ran(known, USED)
        return known

    assert hooks.hold(hooks.run(call)).outcome.basis is Basis.PROVIDER_USAGE


def test_pieces_of_every_protocol_are_counted(hooks: Hooks) -> None:
    count = hooks.callback.tokens_in
    event = (
        b'event: content_block_delta\ndata: {"delta": {"type": "text_delta", "text": "hello"}}\n'
    )

    assert count(event) == count(event.decode()) == 2
    assert count(SimpleNamespace(type="response.output_text.delta", delta="hi")) == 1
    assert count(SimpleNamespace(choices=[SimpleNamespace(text="four4")])) == 2
    assert count(SimpleNamespace(type="response.created")) == 0


def test_a_call_that_fails_for_good_costs_nothing(hooks: Hooks, secret: str) -> None:
    async def call() -> Any:
        known, _ = await hooks.begin(secret, ASKED)
        failed = hooks.callback.callback.async_post_call_failure_hook
        await failed({}, ConnectionError("gone"), known)
        return known

    hold = hooks.hold(hooks.run(call))

    assert (hold.state, hold.charged, hold.outcome.error) == (
        HoldState.RELEASED,
        ZERO,
        "ConnectionError",
    )


A_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ANOTHER_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("given", "answered", "passed_on"),
    [
        (A_TRACE, None, [A_TRACE, A_TRACE]),
        (A_TRACE, ANOTHER_TRACE, [A_TRACE, ANOTHER_TRACE]),
        ("", ANOTHER_TRACE, [None, ANOTHER_TRACE]),
        ("", None, [None, None]),
        ("00-\u00e9", None, [None, None]),
    ],
)
@pytest.mark.parametrize("ending", ["success", "failure", "broken off"])
def test_the_trace_of_a_call_is_passed_on(  # noqa: PLR0917 - a table of cases
    hooks: Hooks,
    secret: str,
    given: str,
    answered: str | None,
    passed_on: list[str | None],
    ending: str,
) -> None:
    hooks.network.traceparent = answered
    callback = hooks.callback.callback

    async def call() -> Any:
        known, _ = await hooks.begin(secret, ASKED, traceparent=given)
        if ending == "success":
            await hooks.ran(known, USED)
        elif ending == "failure":
            await callback.async_post_call_failure_hook({}, ConnectionError("gone"), known)
        else:
            source = pieces("Hello", failing=True)
            with pytest.raises(ConnectionError):
                async for _ in callback.async_post_call_streaming_iterator_hook(known, source, {}):
                    pass
        return known

    assert not hooks.hold(hooks.run(call)).is_open
    assert hooks.network.traces == passed_on


def test_a_litellm_that_has_spans_of_its_own_is_what_we_follow(hooks: Hooks, secret: str) -> None:
    trace_id, span_id = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0xB7AD6B7169203331
    context = SimpleNamespace(trace_id=trace_id, span_id=span_id, trace_flags=1)
    request = Request(
        "POST", "/v1/chat/completions", json.dumps(ASKED).encode(), traceparent=A_TRACE
    )
    request.state.parent_otel_span = SimpleNamespace(get_span_context=lambda: context)

    hooks.run(lambda: hooks.auth.authorize(request, secret))

    assert hooks.network.traces == [ANOTHER_TRACE]


@pytest.mark.parametrize(
    "change",
    [{"litellm_call_id": "mine"}, {"model": "dear"}, {"max_tokens": 10**6}, {"store": True}],
)
def test_a_litellm_that_runs_something_else_is_stopped(
    hooks: Hooks, secret: str, change: dict[str, object]
) -> None:
    async def call() -> None:
        known, data = await hooks.begin(secret, ASKED)
        await hooks.callback.callback.async_pre_call_hook(known, None, data | change, "completion")

    with pytest.raises(RuntimeError, match="does not run requests"):
        hooks.run(call)


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/key/generate", (403, "not_permitted")),
        ("/openai/deployments/demo/chat/completions", (403, "not_permitted")),
        ("/v1/embeddings", (400, "unsupported_model")),
    ],
)
def test_refusals_say_what_the_gateway_would_say(
    hooks: Hooks, secret: str, path: str, refusal: tuple[int, str]
) -> None:
    with pytest.raises(RefusedError) as refused:
        hooks.run(lambda: hooks.begin(secret, {"model": "demo", "input": "x"}, path=path))

    assert (refused.value.facts["code"], refused.value.facts["openai_code"]) == refusal


def test_a_key_that_is_none_is_refused(hooks: Hooks) -> None:
    with pytest.raises(RefusedError) as refused:
        hooks.run(lambda: hooks.begin("sk-nonsense", ASKED))

    assert refused.value.facts["openai_code"] == "invalid_api_key"


def test_an_empty_wallet_is_told_to_add_credits(hooks: Hooks, secret: str, site: Site) -> None:
    key = site.services.keys.recognition.recognise(KeySecret.parse(secret))
    with site.services.transactions.begin() as tx:
        available = tx.ledger.find_wallet_of(key.owner_id).available
    site.services.calls.charge.authorize(
        key.wallet_id, ceiling=available, reference=f"all-{key.id}"
    )

    with pytest.raises(RefusedError) as refused:
        hooks.run(lambda: hooks.begin(secret, ASKED))

    assert refused.value.facts["code"] == 402
    assert refused.value.facts["openai_code"] == "insufficient_quota"
    assert refused.value.facts["headers"] == {"x-should-retry": "false"}
    assert "/dashboard/billing" in refused.value.message


def test_no_answer_is_a_refusal(hooks: Hooks, secret: str) -> None:
    hooks.network.lost = 10

    with pytest.raises(RefusedError) as refused:
        hooks.run(lambda: hooks.begin(secret, ASKED))

    assert refused.value.facts["code"] == 503


def test_the_operator_keeps_the_way_in_and_nothing_is_held(hooks: Hooks) -> None:
    known, data = hooks.run(lambda: hooks.begin("sk-master", ASKED, path="/key/generate"))

    assert (known.user_role, hooks.network.asked) == ("admin", 0)
    hooks.run(lambda: hooks.ran(known, USED))
    assert data.keys() == {"litellm_call_id"}
    assert hooks.network.asked == 0


def test_a_key_sees_its_models(hooks: Hooks, secret: str) -> None:
    known, _ = hooks.run(lambda: hooks.begin(secret, {}, path="/v1/models", method="GET"))

    assert known.models == ["demo"]


def post(site: Site, path: str, body: bytes, *, token: str = TOKEN) -> Any:
    client = site.app.test_client()
    return client.post(path, data=body, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("path", ["authorize", "log-usage"])
def test_the_api_is_for_the_bearer_of_the_token(site: Site, path: str) -> None:
    assert post(site, f"/api/litellm/{path}", b"{}", token=f"{TOKEN}x").status_code == 401
    assert site.app.test_client().post(f"/api/litellm/{path}").status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert site.app.test_client().get(f"/api/litellm/{path}", headers=headers).status_code == 405


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("authorize", b"[]", "object"),
        ("authorize", b"{", "JSON"),
        ("authorize", b'{"call_id": 7}', "call_id"),
        ("log-usage", b'{"call_id": "x", "status": "maybe"}', "status"),
        ("log-usage", b'{"call_id": "x", "status": "success", "usage": {}}', "call_id"),
        ("log-usage", b'{"call_id": "x", "status": "failure", "error": "a b"}', "error"),
        ("log-usage", b'{"x": "' + b"y" * 70_000 + b'"}', "MB"),
    ],
)
def test_what_means_nothing_is_refused(site: Site, path: str, body: bytes, said: str) -> None:
    answer = post(site, f"/api/litellm/{path}", body)

    assert answer.status_code in (400, 413)
    assert said in answer.json["error"]["message"]


def test_without_the_setting_there_is_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)

    assert post(site, "/api/litellm/authorize", b"{}", token="").status_code == 404
