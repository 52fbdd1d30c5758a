"""LiteLLM's own token counter never counts more than is held for a request."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.wires.openai.chat import ChatCompletions
from tests.peers.conftest import Proxy
from tests.unit.wires.asking import Asking

asking = Asking(ChatCompletions(), {})

RARE = st.sampled_from(["日本", "ꙮ", "🙂", "ß", "!!", "\n\n", "0123456789", "   ", "word "])
texts = st.text(max_size=200) | st.lists(RARE, max_size=100).map("".join)
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


def test_no_more_is_counted_than_is_held(proxy: Proxy) -> None:
    @settings(max_examples=60, deadline=None)
    @given(said=messages, functions=tools)
    def counted_is_held(said: list[dict[str, str]], functions: list[dict[str, object]]) -> None:
        fields: dict[str, object] = {"messages": said}
        if functions:
            fields["tools"] = [{"type": "function", "function": each} for each in functions]
        held = asking.parse(**fields).prompt_bound

        counted = proxy.ask("/utils/token_counter", {"model": "mock-chat", **fields}).json()

        assert held is not None
        assert 0 < counted["total_tokens"] <= held

    counted_is_held()
