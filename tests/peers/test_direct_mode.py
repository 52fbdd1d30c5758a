"""People call a real LiteLLM proxy, which asks us before each call and tells us after it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import openai
import pytest

from creditcore import Basis, Credits, HoldState
from creditcore.domain.holds import Hold
from creditcore.ports.call_traces import Part
from tests.collector import Collector, running_collector
from tests.peers.conftest import MASTER_KEY, Proxy, running_proxy
from tests.stack import REPOSITORY, Account, Stack, running_stack, wait_until

TOKEN = "of direct mode 0123456789 0123456789"
# What the sandbox's own price list says, so that both make a call's cost the same.
CONFIG = """
model_list:
  - model_name: demo-chat
    litellm_params: {{model: openai/demo-chat, api_base: "{upstream}/litellm/v1",
                      api_key: sk-sandbox-master, input_cost_per_token: 0.000001,
                      output_cost_per_token: 0.000004, cache_read_input_token_cost: 0.0000001}}
litellm_settings:
  num_retries: 0
  callbacks: creditcore_callback.callback
router_settings: {{disable_cooldowns: true}}
general_settings: {{master_key: {key}, custom_auth: creditcore_auth.authorize}}
"""


@dataclass(frozen=True)
class Direct:
    """A gateway, and the proxy that asks it."""

    stack: Stack
    proxy: Proxy
    collector: Collector

    def client(self, key: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.proxy.base_url}/v1", api_key=key, max_retries=0)

    def closed(self, account: Account) -> Hold:
        """Return the only call of an account, once it is settled."""
        [hold] = wait_until(lambda: [it for it in self.stack.calls_of(account) if not it.is_open])
        return hold


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    folder = tmp_path_factory.mktemp("direct")
    for file in (REPOSITORY / "contrib" / "litellm").glob("*.py"):
        shutil.copy(file, folder)
    with (
        running_collector() as collector,
        running_stack(
            "",
            tmp_path_factory.mktemp("stack"),
            LITELLM_DIRECT_TOKEN=TOKEN,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_SCHEDULE_DELAY="50",
        ) as stack,
        running_proxy(
            stack.sandbox.base_url,
            folder,
            config=CONFIG,
            CREDITCORE_URL=stack.base_url,
            CREDITCORE_TOKEN=TOKEN,
            LITELLM_MASTER_KEY=MASTER_KEY,
        ) as proxy,
    ):
        yield Direct(stack, proxy, collector)


@pytest.fixture
def account(direct: Direct) -> Account:
    return direct.stack.an_account(credits_="200")


def ask(text: str = "[[sim tokens=37 prompt=134]]") -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_costs_what_it_would_at_the_gateway(
    direct: Direct, account: Account, stream: bool
) -> None:
    other = direct.stack.an_account(credits_="200")
    direct.stack.chat(ask()[0]["content"], key=other.api_key)

    answer = direct.client(account.api_key).chat.completions.create(
        model="demo-chat", messages=ask(), stream=stream
    )
    if stream:
        assert [chunk for chunk in answer if chunk.choices]

    hold = direct.closed(account)
    assert (hold.state, hold.outcome.basis) == (HoldState.SETTLED, Basis.PROVIDER_USAGE)
    assert hold.outcome.usage == direct.closed(other).outcome.usage
    assert hold.charged == direct.closed(other).charged > Credits(0)
    assert hold.outcome.reported_cost_picodollars
    assert direct.stack.audit().clean


def test_a_call_belongs_to_the_trace_of_its_client(direct: Direct, account: Account) -> None:
    trace_id, span_id = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

    direct.client(account.api_key).chat.completions.create(
        model="demo-chat",
        messages=ask(),
        extra_headers={"traceparent": f"00-{trace_id}-{span_id}-01"},
    )

    spans = direct.collector.spans_of(direct.closed(account).reference, 2)
    assert {span.trace_id.hex() for span in spans.values()} == {trace_id}
    assert spans[Part.AUTHORIZE].parent_span_id.hex() == span_id
    assert spans[Part.LOG_USAGE].parent_span_id == spans[Part.AUTHORIZE].span_id


def test_the_limit_that_was_held_for_is_kept(direct: Direct) -> None:
    poor = direct.stack.an_account(credits_="1")

    answer = direct.client(poor.api_key).chat.completions.create(
        model="demo-chat", messages=ask("[[sim tokens=5000]]")
    )

    hold = direct.closed(poor)
    assert answer.choices[0].finish_reason == "length"
    assert hold.charged <= hold.amount <= Credits.of(1)
    assert not hold.written_off


def test_a_client_that_leaves_pays_for_what_it_got(direct: Direct, account: Account) -> None:
    client = direct.client(account.api_key)
    stream = client.chat.completions.create(
        model="demo-chat", messages=ask("[[sim tokens=2000 delay_ms=50]]"), stream=True
    )
    next(iter(stream))
    stream.close()
    client.close()

    hold = direct.closed(account)
    assert Credits(0) < hold.charged < hold.amount


def test_a_call_that_fails_upstream_costs_nothing(direct: Direct, account: Account) -> None:
    with pytest.raises(openai.APIStatusError):
        direct.client(account.api_key).chat.completions.create(
            model="demo-chat", messages=ask("[[sim status=500]]")
        )

    assert direct.closed(account).state is HoldState.RELEASED


def test_an_empty_wallet_gets_the_gateways_own_words(direct: Direct) -> None:
    poor = direct.stack.an_account(credits_="0")

    with pytest.raises(openai.APIStatusError) as refused:
        direct.client(poor.api_key).chat.completions.create(model="demo-chat", messages=ask())

    assert refused.value.status_code == 402
    assert refused.value.body["type"] == "insufficient_quota"
    assert direct.stack.calls_of(poor) == []


def test_a_wrong_key_and_other_routes_are_refused(direct: Direct, account: Account) -> None:
    with pytest.raises(openai.AuthenticationError):
        direct.client("sk-nonsense").chat.completions.create(model="demo-chat", messages=ask())
    with pytest.raises(openai.PermissionDeniedError):
        direct.client(account.api_key).images.generate(model="demo-chat", prompt="a cat")
    assert direct.stack.calls_of(account) == []


def test_a_key_lists_its_models(direct: Direct, account: Account) -> None:
    listed = {model.id for model in direct.client(account.api_key).models.list()}

    assert "demo-chat" in listed


def test_the_operators_own_calls_are_no_customers(direct: Direct) -> None:
    answer = direct.proxy.ask("/v1/chat/completions", {"model": "demo-chat", "messages": ask()})

    assert answer.status_code == 200
