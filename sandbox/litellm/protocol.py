"""What each of LiteLLM's inference protocols has to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from sandbox.litellm.completion import Completion
from sandbox.litellm.errors import STREAM_ERROR

DONE = b"data: [DONE]\n\n"
EVENT_STREAM = "text/event-stream; charset=utf-8"


class Events(Protocol):
    """One answer as events, in the order of these methods."""

    def opening(self) -> list[bytes]:
        """Return what comes before the first token."""

    def token(self, position: int, index: int, *, last: bool) -> bytes:
        """Return a token of a choice; ``last`` of them all."""

    def failure(self) -> bytes:
        """Return what comes in place of the rest when the provider dies."""

    def ending(self) -> list[bytes]:
        """Return what comes after the last token."""


class InferenceProtocol(Protocol):
    """One of LiteLLM's inference routes.

    Attributes:
        path: The route, which works without ``/v1`` too.
        media_type: What its plain answers are.
    """

    path: str
    media_type: str

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the model answers.

        Raises:
            LiteLLMError: The request makes no sense.
        """

    def document(self, completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return the plain answer's body."""

    def events(self, completion: Completion, body: Mapping[str, Any]) -> Events:
        """Return the streamed answer."""


def nameless(document: Mapping[str, Any]) -> bytes:
    """Return an event as LiteLLM sends most: without a name."""
    return b"data: " + orjson.dumps(document) + b"\n\n"


def named(document: Mapping[str, Any]) -> bytes:
    """Return an event as providers send it: named after its type."""
    return b"event: " + str(document["type"]).encode() + b"\n" + nameless(document)


def died() -> bytes:
    """Return LiteLLM's own word for a provider that died."""
    return f"data: {STREAM_ERROR}\n\n".encode()


def listed(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list, or none in place of anything else that a client sent."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def renamed_usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return usage under the names of Anthropic's and of OpenAI's newer protocol."""
    return {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
