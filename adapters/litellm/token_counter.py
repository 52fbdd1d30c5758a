"""LiteLLM's ``POST /utils/token_counter``: what a model's provider counts, or a stand-in for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.litellm.admin import AdminClient, Answer
from adapters.litellm.breaker import Breaker
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.domain.pricing import MAX_TOKENS
from creditcore.ports.prompt_counts import PromptCount, PromptText

CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 0.5, 1.5
"""A call waits for it, whose answer would be a refusal without it."""

LEAST_S = 0.5
"""With less time left, LiteLLM is not asked once more for its own count."""

_BY_ITSELF = "/utils/token_counter"
_BY_PROVIDER = f"{_BY_ITSELF}?call_endpoint=true"
_OK = 200

_NOT_SERVED = frozenset({401, 403, 404, 405})
"""By a server without this route, or to this key: asking again soon is no use."""

_STAND_INS = frozenset({"openai_tokenizer", "huggingface_tokenizer", "local_tokenizer"})
"""Tokenizers that LiteLLM brings, and takes for models that it has none for."""


@dataclass(frozen=True, slots=True)
class LiteLLMTokenCounter:
    """Has a LiteLLM proxy count prompts.

    It asks the provider where that counts for nothing (Anthropic, OpenAI, Google, Bedrock), else
    it counts by a tokenizer of its own, for most models OpenAI's of gpt-3.5.

    Attributes:
        admin: How it is asked; its timeouts together are for both questions, about.
        breaker: Stops asking a proxy that does not answer, or does not count.
        now: Seconds since some moment.
    """

    admin: AdminClient
    breaker: Breaker = field(default_factory=Breaker)
    now: Callable[[], float] = time.monotonic

    @classmethod
    def at(cls, base_url: str, master_key: str) -> LiteLLMTokenCounter:
        """Return one that asks a proxy, and waits for about two seconds."""
        return cls(
            AdminClient(
                base_url=base_url,
                master_key=master_key,
                connect_timeout_s=CONNECT_TIMEOUT_S,
                answer_timeout_s=ANSWER_TIMEOUT_S,
            )
        )

    def count(self, model: str, text: PromptText) -> PromptCount | None:
        """Return how many tokens a text is; None for an answer that is late, odd or an error."""
        if not self.breaker.allows():
            return None
        try:
            answer = self._answer(_question(model, text))
        except UpstreamUnavailableError:
            self.breaker.failed()
            return None
        if answer.status in _NOT_SERVED:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        return _count_in(answer, model)

    def _answer(self, question: dict[str, Any]) -> Answer:
        """Return what the provider says, or else LiteLLM, as far as time is left to ask it."""
        admin = self.admin
        deadline = self.now() + admin.connect_timeout_s + admin.answer_timeout_s
        answer = admin.post(_BY_PROVIDER, question)
        if answer.status == _OK:
            return answer
        left_s = deadline - self.now()
        if left_s < LEAST_S:
            return answer
        # It fails where its provider does, or a package for that one is not installed.
        hurried = replace(admin, answer_timeout_s=min(left_s, admin.answer_timeout_s))
        return hurried.post(_BY_ITSELF, question)


def _question(model: str, text: PromptText) -> dict[str, Any]:
    """Return the text as LiteLLM takes it, and once more as Google does, which reads only that."""
    return {
        "model": model,
        "messages": [{"role": role, "content": said} for role, said in text.messages],
        "contents": [
            {"role": "model" if role == "assistant" else role, "parts": [{"text": said}]}
            for role, said in text.messages
        ],
    }


def _count_in(answer: Answer, model: str) -> PromptCount | None:
    try:
        found = answer.document() if answer.status == _OK else {}
    except UpstreamUnavailableError:
        return None
    tokens = found.get("total_tokens")
    # isinstance() would let True through.
    if type(tokens) is not int or not 0 < tokens <= MAX_TOKENS:
        return None
    if found.get("error") or found.get("request_model") != model:
        return None
    # A provider's own words are passed on; what LiteLLM counts itself has none.
    is_stand_in = str(found.get("tokenizer_type")) in _STAND_INS
    has_words = isinstance(found.get("original_response"), dict)
    return PromptCount(tokens, by_provider=has_words and not is_stand_in)
