"""LiteLLM's own token counter never counts more than is held for a request, counted or not."""

from __future__ import annotations

from base64 import b64encode

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.litellm.admin import AdminClient
from adapters.litellm.token_counter import LiteLLMTokenCounter
from adapters.wires.openai.chat import ChatCompletions
from creditcore import Credits
from creditcore.domain.pricing.counted_text import held_by_count
from creditcore.domain.pricing.text_bound import text_bound
from creditcore.ports.inference import InferenceRequest
from creditcore.ports.prompt_counts import PromptCount, PromptText
from sandbox.process import SandboxProcess
from tests.integration.sandbox_client import KEY
from tests.peers.conftest import MASTER_KEY, Proxy
from tests.stack import PATIENCE_S, Stack
from tests.unit.wires.asking import Asking
from tests.unit.wires.everyday import NOT_KNOWN, OPENAI
from tests.unit.wires.test_images import png

UNHEARD_OF = "unheard of"
"""LiteLLM counts for a model that it does not know as well, and asks no provider."""

asking = Asking(ChatCompletions(), {})

RARE = ["日本", "ꙮ", "🙂", "ß", "!!", "\n\n", "0123456789", "   ", "word "]
KNOWN = [
    "because",
    " the",
    " of",
    " habari",
    " pesa",
    "get",
    "User",
    "HTTP",
    "Error",
    " déjà",
    " où",
]
CODE = ["\n    ", "\t", "return", "(", '":"', "},{", "_", " = ", "self", ".", "://", "'", "\\n"]
texts = st.text(max_size=200) | st.lists(st.sampled_from([*RARE, *KNOWN, *CODE]), max_size=400).map(
    "".join
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system"]), "content": texts}
    ),
    min_size=1,
    max_size=5,
)
tools = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text("abcdef_", min_size=1, max_size=20),
            "description": texts,
            "parameters": st.just(
                {"type": "object", "properties": {"where": {"type": "string"}}, "required": []}
            ),
        }
    ),
    max_size=3,
)


def held_for(request: InferenceRequest) -> int:
    """Return the tokens of a text on a model of OpenAI, for which the least is held."""
    assert request.prompt_bound is not None
    return text_bound(request.prompt_bound, request.text_size, OPENAI)


def test_no_more_is_counted_than_is_held(proxy: Proxy) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(said=messages, functions=tools)
    def counted_is_held(said: list[dict[str, str]], functions: list[dict[str, object]]) -> None:
        fields: dict[str, object] = {"messages": said}
        if functions:
            fields["tools"] = [{"type": "function", "function": each} for each in functions]
        held = held_for(asking.parse(**fields))

        counted = proxy.ask("/utils/token_counter", {"model": "mock-chat", **fields}).json()

        assert 0 < counted["total_tokens"] <= held

    counted_is_held()


def test_no_more_is_counted_of_images_than_is_held_on_any_model(proxy: Proxy) -> None:
    sizes = st.tuples(*(st.integers(1, 4_000) | st.integers(1, 65_536),) * 2)
    details = st.sampled_from([None, "auto", "low", "high"])

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(pictures=st.lists(st.tuples(sizes, details), min_size=1, max_size=3))
    def counted_is_held(pictures: list[tuple[tuple[int, int], str | None]]) -> None:
        content = [
            {
                "type": "image_url",
                "image_url": {
                    "url": f"data:image/png;base64,{b64encode(png(*size)).decode()}",
                    **({"detail": detail} if detail else {}),
                },
            }
            for size, detail in pictures
        ]
        fields = {"messages": [{"role": "user", "content": content}]}
        request = asking.parse(**fields)
        media = request.media_bound
        least = request.prompt_bound - media.most + min(media.by_count.values())

        counted = proxy.ask("/utils/token_counter", {"model": "mock-chat", **fields}).json()

        assert 0 < counted["total_tokens"] <= least

    counted_is_held()


@pytest.fixture
def counter(proxy: Proxy) -> LiteLLMTokenCounter:
    return LiteLLMTokenCounter(
        AdminClient(base_url=proxy.base_url, master_key=MASTER_KEY, answer_timeout_s=PATIENCE_S)
    )


def test_no_more_is_counted_than_is_held_by_a_count(
    proxy: Proxy, counter: LiteLLMTokenCounter
) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(said=messages, functions=tools)
    def counted_is_held(said: list[dict[str, str]], functions: list[dict[str, object]]) -> None:
        fields: dict[str, object] = {"messages": said}
        if functions:
            fields["tools"] = [{"type": "function", "function": each} for each in functions]
        request = asking.parse(**fields)
        text = asking.wire.text_of(request)
        if text is None:
            return
        count = counter.count(UNHEARD_OF, text)
        assert count is not None
        assert not count.by_provider
        texts = [each for _, each in text.messages]
        held = held_by_count(texts, count.tokens, by_provider=False)
        whole_bound = text_bound(request.prompt_bound, request.text_size, NOT_KNOWN)
        part_bound = text_bound(text.bound, text.size, NOT_KNOWN)
        held = whole_bound - part_bound + min(held, part_bound)

        whole = proxy.ask("/utils/token_counter", {"model": UNHEARD_OF, **fields}).json()

        assert 0 < whole["total_tokens"] <= held <= whole_bound

    counted_is_held()


def test_what_openai_counts_itself_is_told_from_what_litellm_does(
    counter: LiteLLMTokenCounter,
) -> None:
    text = PromptText((("user", "Habari ya asubuhi"), ("assistant", "Nzuri")), 300)

    # The sandbox stands behind real-chat as OpenAI, and counts words and messages.
    assert counter.count("real-chat", text) == PromptCount(3 + 1 + 2 * 4, by_provider=True)
    assert not counter.count(UNHEARD_OF, text).by_provider


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": "hello there my friend"}]},
        {"prompt": "hello there my friend"},
        {},
    ],
    ids=["messages", "prompt", "nothing"],
)
@pytest.mark.parametrize("model", ["mock-chat", UNHEARD_OF])
def test_the_stand_in_answers_as_litellm_does(
    proxy: Proxy, body: dict[str, object], model: str
) -> None:
    with SandboxProcess.start() as sandbox:
        standing_in = requests.post(
            f"{sandbox.litellm_url}/utils/token_counter",
            json={"model": model, **body},
            headers={"authorization": f"Bearer {KEY}"},
            timeout=PATIENCE_S,
        )

    real = proxy.ask("/utils/token_counter", {"model": model, **body})

    assert standing_in.status_code == real.status_code
    said, expected = standing_in.json(), real.json()
    assert list(said) == list(expected)
    own = ("total_tokens", "model_used")
    assert {**said, **{name: expected[name] for name in own if name in said}} == expected


def test_a_call_short_of_credits_is_counted_and_served(stack: Stack) -> None:
    # 7,000 bytes, and 1,304 tokens by the sandbox, which stands behind LiteLLM as OpenAI.
    story = "The committee met on Tuesday to speak about next year and its budget. " * 100
    covered = Credits(110) * 3_000
    account = stack.an_account(credits_=str(covered))

    answer = stack.chat(story, key=account.api_key, model="real-chat", max_tokens=10)

    assert answer.status_code == 200, answer.text
    stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    assert call.charged <= call.amount < covered
    assert not call.written_off
