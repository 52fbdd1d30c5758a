"""The text of a prompt by itself, as it is counted where its bytes are too much to hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from adapters.wires.tokens import MOST_BYTES, spared_in_json
from creditcore.domain.pricing.text_bound import UNSEEN_TOKENS, TextSize
from creditcore.ports.prompt_counts import PromptText

_PLAIN_MESSAGE = frozenset({"type", "role", "content"})
_PLAIN_PART = frozenset({"type", "text", "cache_control"})
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_RESULT = "tool_result"
_ASSISTANT = "assistant"


class TextCollector:
    """Collects what is surely text, message by message, and what the bound has for it.

    What says anything beside its text (a call of a tool, an image, a name) is left to its bytes.
    All roles but the assistant's become the user's, as a provider's count may refuse others.
    """

    def __init__(self, *, unseen: int = UNSEEN_TOKENS) -> None:
        """Start with nothing but what is added unseen."""
        self._messages: list[tuple[str, str]] = []
        self._unseen = unseen
        self._written: list[bytes] = []
        self._is_bare = False

    def add_settings(self, fields: Mapping[str, Any]) -> None:
        """Take what is written of a request beside its text and is shown to no model."""
        for name, value in fields.items():
            if name == "model" or isinstance(value, bool | int | float):
                self._written.append(orjson.dumps({name: value})[1:-1])

    def add_bare(self, text: object) -> None:
        """Take a text whose bound is its bytes, without what JSON writes around them."""
        self._is_bare = True
        if isinstance(text, str):
            self._keep(text)

    def add_messages(self, messages: object) -> None:
        """Take the text of messages; where one is nothing but text, all that is written of it."""
        for message in messages if isinstance(messages, list) else ():
            content, role = message.get("content", message.get("output")), message.get("role")
            if isinstance(content, str) and message.keys() <= _PLAIN_MESSAGE:
                self._keep(content, role, written=message)
            else:
                self.add(content, role=role)

    def add(self, content: object, *, role: object = None) -> None:
        """Take the text of some content: a string, or a list of parts."""
        if isinstance(content, str):
            self._keep(content, role, written=content)
            return
        for part in content if isinstance(content, list) else ():
            if not isinstance(part, dict):
                continue
            if part.get("type") == _RESULT:
                self.add(part.get("content"), role=role)
            elif _is_text(part):
                self._keep(part["text"], role, written=part)

    def _keep(self, text: str, role: object = None, *, written: object = None) -> None:
        # Anthropic counts nothing that is blank.
        if text.strip():
            self._messages.append((_ASSISTANT if role == _ASSISTANT else "user", text))
            self._written.append(text.encode() if written is None else orjson.dumps(written))

    def found(self, *, of: TextSize) -> PromptText | None:
        """Return the text; None without any.

        Args:
            of: What is known of the whole prompt: where its bytes are all, so they are of this.
        """
        if not self._messages:
            return None
        by_bytes = sum(map(len, self._written)) + self._unseen
        spared = of.spared
        # Of a longer text it is not known how much of it was looked at.
        if spared and not self._is_bare and by_bytes <= MOST_BYTES:
            spared = spared_in_json(b"\n".join(self._written))
        return PromptText(tuple(self._messages), by_bytes, TextSize(spared, self._unseen))


def _is_text(part: dict[str, Any]) -> bool:
    """Whether a part is nothing but text: those of a model's reasoning are passed on unchecked."""
    kind, text = part.get("type"), part.get("text")
    return (
        isinstance(kind, str)
        and kind in _TEXT_PARTS
        and isinstance(text, str)
        and part.keys() <= _PLAIN_PART
    )
