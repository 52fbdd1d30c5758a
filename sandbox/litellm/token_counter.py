"""``/utils/token_counter``: what a call would report as its prompt, without making it.

Beside it OpenAI's ``/v1/responses/input_tokens``, which a real LiteLLM in front of this one asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from werkzeug.wrappers import Request, Response

from sandbox.litellm.completion import script_of, words_and_messages
from sandbox.litellm.errors import LiteLLMError
from sandbox.litellm.models import Models
from sandbox.routing import json_answer, json_object

MAX_BODY_BYTES = 8 * 1024 * 1024
"""The real one takes as much as it is sent. Texts to count are long, and are not remembered."""

_COUNTING_PROVIDERS = frozenset({"anthropic"})
"""Those here that count for nothing, where the request has them asked."""


class TokenCounter:
    """The routes.

    Attributes:
        asked: The models that prompts were counted for, one for each time, oldest first.
    """

    def __init__(self, models: Models) -> None:
        """Take the catalogue; a model that is not in it is counted all the same."""
        self.asked: list[str] = []
        self._models = models

    def answer(self, request: Request) -> Response:
        """Return how many tokens a prompt is.

        Raises:
            LiteLLMError: There is nothing to count.
        """
        body = json_object(request)
        model, counted = str(body.get("model")), _count(body)
        self.asked.append(model)
        info = self._models.info(model) if model in self._models else {}
        provider, kind, original = info.get("litellm_provider"), "openai_tokenizer", None
        if provider in _COUNTING_PROVIDERS and request.args.get("call_endpoint") == "true":
            kind, original = f"{provider}_api", {"input_tokens": counted}
        return json_answer(
            {
                "total_tokens": counted,
                "request_model": model,
                "model_used": model,
                "tokenizer_type": kind,
                "original_response": original,
                "error": False,
                "error_message": None,
                "status_code": None,
            }
        )

    def input_tokens(self, request: Request) -> Response:
        """Return how many tokens an input of OpenAI's is."""
        given = json_object(request).get("input")
        messages = given if isinstance(given, list) else [{"role": "user", "content": given}]
        return json_answer(
            {"object": "response.input_tokens", "input_tokens": words_and_messages(messages)}
        )


def _count(body: Mapping[str, Any]) -> int:
    messages, prompt = body.get("messages"), body.get("prompt")
    if messages is None and prompt is None and body.get("contents") is None:
        detail = {"detail": "prompt or messages or contents must be provided"}
        raise LiteLLMError(400, orjson.dumps(detail))
    if messages is None:
        return len(str(prompt or "").split())
    ordered = script_of(messages).prompt
    return words_and_messages(messages) if ordered < 0 else ordered
