"""LiteLLM's ``POST /utils/token_counter``: what a model's provider counts, or a stand-in for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from adapters.litellm.admin import AdminClient, Answer
from adapters.litellm.breaker import Breaker
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.domain.pricing import MAX_TOKENS
from creditcore.ports.prompt_counts import PromptCount, PromptText
from creditcore.ports.token_counters import RequestToCount

CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 0.5, 1.5
"""A call waits for it, whose answer would be a refusal without it."""

LEAST_S = 0.5
"""With less time left, LiteLLM is not asked once more."""

_BY_ITSELF = "/utils/token_counter"
_BY_PROVIDER = f"{_BY_ITSELF}?call_endpoint=true"
_OK = 200

_NOT_SERVED = frozenset({401, 403, 404, 405})
"""By a server without this route, or to this key: asking again soon is no use."""

_STAND_INS = frozenset({"openai_tokenizer", "huggingface_tokenizer", "local_tokenizer"})
"""Tokenizers that LiteLLM brings, and takes for models that it has none for."""

_OF_WHOLE_REQUESTS = frozenset({"anthropic_api", "azure_ai_anthropic_api", "bedrock_api"})
"""Providers that LiteLLM hands all of a request: messages, system and tools, as they are.

OpenAI is handed the text of what a user says alone, Google nothing that is not ``contents``, and
Claude at Google messages without system and tools. LiteLLM's own tokenizers count messages alone.
"""

Counted = TypeVar("Counted")


class _Counted(NamedTuple):
    """What an answer says."""

    tokens: int
    tokenizer: str
    by_provider: bool


@dataclass(frozen=True, slots=True)
class LiteLLMTokenCounter:
    """Has a LiteLLM proxy count prompts and requests.

    It asks the provider where that counts for nothing (Anthropic, OpenAI, Google, Bedrock), else
    it counts by a tokenizer of its own, for most models OpenAI's of gpt-3.5.

    Attributes:
        admin: How it is asked; its timeouts together are for all questions, about.
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
        return self._counted(lambda questions: _count_text(questions, model, text))

    def count_request(self, request: RequestToCount) -> int | None:
        """Return how many tokens a request is; None for an answer that is late, odd or an error.

        Not by LiteLLM's ``/v1/messages/count_tokens``, which does not say who has counted what.
        """
        return self._counted(lambda questions: _count_request(questions, request))

    def _counted(self, count: Callable[[_Questions], Counted | None]) -> Counted | None:
        if not self.breaker.allows():
            return None
        questions = _Questions(self.admin, self.now)
        try:
            found = count(questions)
        except UpstreamUnavailableError:
            self.breaker.failed()
            return None
        if questions.last_status in _NOT_SERVED:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        return found


class _Questions:
    """Questions that have to be answered within one time, all together."""

    def __init__(self, admin: AdminClient, now: Callable[[], float]) -> None:
        self._admin, self._now = admin, now
        self._deadline = now() + admin.connect_timeout_s + admin.answer_timeout_s
        self.last_status: int | None = None

    def ask(self, path: str, question: Mapping[str, Any]) -> Answer | None:
        """Return an answer with any status; None where no time is left to ask.

        Raises:
            UpstreamUnavailableError: There is none.
        """
        admin = self._admin
        if self.last_status is not None:
            left_s = self._deadline - self._now()
            if left_s < LEAST_S:
                return None
            admin = replace(admin, answer_timeout_s=min(left_s, admin.answer_timeout_s))
        answer = admin.post(path, question)
        self.last_status = answer.status
        return answer


def _count_text(questions: _Questions, model: str, text: PromptText) -> PromptCount | None:
    """Return what the provider says, or else LiteLLM, as far as time is left to ask it."""
    question = _question(model, text)
    # The first fails where the provider does, or a package for that one is not installed.
    for path in (_BY_PROVIDER, _BY_ITSELF):
        answer = questions.ask(path, question)
        if answer is None:
            return None
        if answer.status == _OK:
            counted = _counted_in(answer, model)
            return counted and PromptCount(counted.tokens, by_provider=counted.by_provider)
    return None


def _count_request(questions: _Questions, request: RequestToCount) -> int | None:
    """Return the provider's count of all of it, else a count of its text and what is beside it."""
    answer = questions.ask(_BY_PROVIDER, request.fields)
    if answer is None or answer.status in _NOT_SERVED:
        return None
    whole = _counted_in(answer, request.model)
    if whole is not None and whole.by_provider and whole.tokenizer in _OF_WHOLE_REQUESTS:
        return whole.tokens
    text = request.text and _count_text(questions, request.model, request.text)
    return text and text.tokens + request.estimate_beside


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


def _counted_in(answer: Answer, model: str) -> _Counted | None:
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
    tokenizer = str(found.get("tokenizer_type"))
    has_words = isinstance(found.get("original_response"), dict)
    return _Counted(tokens, tokenizer, by_provider=has_words and tokenizer not in _STAND_INS)
