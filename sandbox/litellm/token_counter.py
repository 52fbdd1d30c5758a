"""``/utils/token_counter``: what a call would report as its prompt, without making it.

Beside it what a real LiteLLM in front of this one asks: OpenAI's ``/v1/responses/input_tokens``,
and Anthropic's ``/v1/messages/count_tokens`` as it is at Azure.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
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

_COUNTED_PARTS = frozenset(
    {"text", "image_url", "tool_use", "tool_result", "thinking", "tool_reference"}
)


class TokenCounter:
    """The routes.

    Attributes:
        asked: The models that prompts were counted for, one for each time, oldest first.
        instead: What is answered to all such questions, with its status; None counts.
        answers: Set while it answers; cleared, they wait until it is set.
    """

    def __init__(self, models: Models) -> None:
        """Take the catalogue; a model that is not in it is counted all the same."""
        self.asked: list[str] = []
        self.instead: tuple[int, str] | None = None
        self.answers = threading.Event()
        self.answers.set()
        self._models = models

    def reset(self) -> None:
        """Forget what was asked, and count again."""
        self.asked.clear()
        self.instead = None
        self.answers.set()

    @property
    def routes(self) -> list[tuple[str, str, Callable[[Request], Response]]]:
        """The routes, each with its method and what answers it."""
        return [
            ("POST", "/utils/token_counter", self.answer),
            ("POST", "/v1/responses/input_tokens", self.input_tokens),
            ("POST", "/anthropic/v1/messages/count_tokens", self.messages_tokens),
        ]

    def answer(self, request: Request) -> Response:
        """Return how many tokens a prompt is.

        Raises:
            LiteLLMError: There is nothing to count.
        """
        body = json_object(request)
        model = str(body.get("model"))
        self.asked.append(model)
        self.answers.wait()
        if self.instead is not None:
            status, said = self.instead
            return Response(said, status, content_type="application/json")
        info = self._models.info(model) if model in self._models else {}
        provider, kind, original = info.get("litellm_provider"), "openai_tokenizer", None
        if provider in _COUNTING_PROVIDERS and request.args.get("call_endpoint") == "true":
            counted = _count(body) + _beside_messages(body)
            kind, original = f"{provider}_api", {"input_tokens": counted}
        else:
            _refuse_others(body.get("messages"))
            counted = _count(body)
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

    def messages_tokens(self, request: Request) -> Response:
        """Return how many tokens a messages request is: also its system and its tools."""
        body = json_object(request)
        return json_answer({"input_tokens": _count(body) + _beside_messages(body)})


def _beside_messages(body: Mapping[str, Any]) -> int:
    """Return the words of what a provider counts beside messages, and LiteLLM itself does not."""
    return sum(len(str(body[name]).split()) for name in ("system", "tools") if body.get(name))


def _refuse_others(content: object) -> None:
    """Fail as the real one does, whose own count knows neither images nor documents."""
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            continue
        if part.get("type", "text") not in _COUNTED_PARTS:
            error = {"message": "Internal server error", "type": "internal_server_error"}
            raise LiteLLMError(500, orjson.dumps({"error": error}))
        _refuse_others(part.get("content"))


def _count(body: Mapping[str, Any]) -> int:
    messages, prompt = body.get("messages"), body.get("prompt")
    if messages is None and prompt is None and body.get("contents") is None:
        detail = {"detail": "prompt or messages or contents must be provided"}
        raise LiteLLMError(400, orjson.dumps(detail))
    if messages is None:
        return len(str(prompt or "").split())
    ordered = script_of(messages).prompt
    return words_and_messages(messages) if ordered < 0 else ordered
