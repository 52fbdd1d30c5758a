"""What clients of other servers send on every protocol of OpenAI, not on chat alone."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.images import Images
from adapters.wires.openai.moderations import Moderations
from adapters.wires.openai.rerank import Rerank
from adapters.wires.openai.responses import Responses
from adapters.wires.openai.speech import Speech
from tests.unit.wires.asking import Asking

CHAT = Asking(ChatCompletions(), {"messages": [{"role": "user", "content": "hi"}]})
COMPLETIONS = Asking(Completions(), {"prompt": "hi"})
RESPONSES = Asking(Responses(), {"input": "hi"})
ALL = [
    CHAT,
    COMPLETIONS,
    RESPONSES,
    Asking(Embeddings(), {"input": "hi"}),
    Asking(Images(), {"prompt": "hi"}),
    Asking(Moderations(), {"input": "hi"}),
    Asking(Rerank(), {"query": "hi", "documents": ["a"]}),
    Asking(Speech(), {"input": "hi", "voice": "alloy"}),
]
SAMPLED: list[dict[str, Any]] = [
    {"dry_multiplier": 0.8, "xtc_probability": 0.1, "top_a": 0, "typical_p": 1},  # SillyTavern
    {"mirostat": 0, "repeat_penalty": 1.1, "repeat_last_n": 64, "grammar": "root ::= 'a'"},
    {"stop_token_ids": [2], "min_tokens": 1, "skip_special_tokens": True, "bad_words": ["a"]},
    {"smoothing_factor": 0.2, "smoothing_curve": 1, "top_n_sigma": 1.5},
    {"spaces_between_special_tokens": True, "truncate_prompt_tokens": 100},
]


@pytest.mark.parametrize("asking", ALL, ids=[it.wire.endpoint for it in ALL])
@pytest.mark.parametrize(
    "name", ["cache_prompt", "keep_alive", "metadata", "session_id", "snippy", "trace", "user"]
)
def test_what_programs_note_is_no_reason_to_refuse(asking: Asking, name: str) -> None:
    noted = asking.parse(**{name: {"a": "b"}})

    assert asking.sent(noted) == asking.sent(asking.parse())


@pytest.mark.parametrize("asking", [CHAT, COMPLETIONS], ids=["chat", "completions"])
@pytest.mark.parametrize("sampled", SAMPLED)
def test_how_local_servers_sample_is_passed_on(asking: Asking, sampled: dict[str, Any]) -> None:
    assert sampled.items() <= asking.sent(asking.parse(**sampled)).items()


@pytest.mark.parametrize(
    "asking", [CHAT, COMPLETIONS, RESPONSES], ids=["chat", "completions", "responses"]
)
def test_the_usual_tier_may_be_named(asking: Asking) -> None:
    assert "service_tier" not in asking.sent(asking.parse(service_tier="auto"))
    assert str(asking.refused(service_tier="flex")).endswith("every call has the usual one.")
