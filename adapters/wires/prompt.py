"""How much a prompt is: at most, and about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.wires.body import encode_body

_BYTES_PER_TOKEN = 4
_IMAGE_TOKENS = 250
"""LiteLLM's own default for an image whose size it does not know."""

_UNSEEN_TOKENS = 256
"""What templates add unseen: the preamble of a model, today's date, its channels."""

_UNSEEN_TOOL_TOKENS = 768
"""What providers add when there are tools: Anthropic writes up to 600 tokens about using them."""


class Prompt:
    """The size of a prompt, added up while its parts are read.

    Attributes:
        text_bytes: UTF-8 bytes of all text in it.
        media: Parts that are not text; no count of bytes bounds their tokens.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.text_bytes = 0
        self.media = 0

    def add_text(self, value: object) -> None:
        """Count the text in any JSON value. Iterative: a client chooses how deep it is."""
        pending = [value]
        while pending:
            item = pending.pop()
            if isinstance(item, str):
                self.text_bytes += len(item) if item.isascii() else len(item.encode())
            elif isinstance(item, dict):
                pending.extend(item.values())
            elif isinstance(item, list):
                pending.extend(item)

    def add_medium(self) -> None:
        """Count a part that is not text."""
        self.media += 1

    def add_schemas(self, fields: Mapping[str, Any], *names: str) -> None:
        """Count what is shown to the model as JSON: its tools."""
        described = {name: fields[name] for name in names if name in fields}
        if described:
            self.text_bytes += len(encode_body(described, stream=False))

    @property
    def estimated_tokens(self) -> int:
        """About four bytes to a token, rounded up, and a usual image for each medium."""
        return -(-self.text_bytes // _BYTES_PER_TOKEN) + self.media * _IMAGE_TOKENS

    def bound(self, fields: Mapping[str, Any]) -> int | None:
        """Return tokens that the prompt can never exceed, or None if its bytes bound nothing.

        A token of a byte-level vocabulary stands for at least one byte of text, and all text
        is in the body: messages, tools, schemas. What the model's template wraps around a
        message (a role and two or three markers) is less than what JSON wraps around it: the
        shortest message, ``{"role":"user","content":""}``, has 28 bytes of that. Only what is
        added once for the call, unseen, needs room beside it.

        Args:
            fields: The cleaned body.
        """
        if self.media:
            return None
        unseen = _UNSEEN_TOKENS
        if "tools" in fields or "functions" in fields:
            unseen += _UNSEEN_TOOL_TOKENS
        return len(encode_body(fields, stream=False)) + unseen
