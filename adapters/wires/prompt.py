"""How much a prompt is: at most, and about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.wires.body import encode_body
from adapters.wires.image_size import size_of_base64

_BYTES_PER_TOKEN = 4
_IMAGE_TOKENS = 250
"""LiteLLM's own default for an image whose size it does not know."""

_USUAL_IMAGE_TOKENS, _USUAL_TILE_TOKENS = 85, 170
"""LiteLLM counts these for an image and for each tile of 512 pixels of it, once scaled down."""

_DEAR_IMAGE_TOKENS, _DEAR_TILE_TOKENS = 2_833, 5_667
"""The same on the model that counts most for an image (gpt-4o-mini, OpenAI's price page)."""

_MAX_TILES = 8
"""OpenAI scales to 768 by 2048 pixels at most."""

_UNSCALED_TILE_TOKENS = 350
"""For models that take an image as it is: 28 by 28 pixels to a token (Qwen), 258 for 768 by 768
(Gemini)."""

_DOCUMENT_TOKENS = 1_500
_BASE64_PER_DOCUMENT_TOKEN = 32
"""About a page, and what a page of text takes of a PDF."""

_TEXT_FILE = re.compile(r"data:(?:text/[a-z0-9.+-]{1,40}|application/json)[;,]", re.IGNORECASE)

_UNSEEN_TOKENS = 256
"""What templates add unseen: the preamble of a model, today's date, its channels."""

_UNSEEN_TOOL_TOKENS = 768
"""What providers add when there are tools: Anthropic writes up to 600 tokens about using them."""


class Prompt:
    """The size of a prompt, added up while its parts are read.

    Attributes:
        text_bytes: UTF-8 bytes of all text in it.
        media: Parts that are not text, and whose tokens nothing in the request bounds.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.text_bytes = 0
        self.media = 0
        self._other_tokens = 0
        self._image_bound = 0
        self._image_letters = 0

    def add_text(self, value: object) -> None:
        """Count the text in any JSON value. Iterative: a client chooses how deep it is."""
        if isinstance(value, str):  # as nearly every message is
            self.text_bytes += len(value) if value.isascii() else len(value.encode())
            return
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
        """Count a part that is not text, and is not here: an address."""
        self.media += 1
        self._other_tokens += _IMAGE_TOKENS

    def add_document(self, data: str) -> None:
        """Count a document in base64. How many pages it has, its length does not tell.

        A file of text is as many tokens as it has bytes at most, and is in the body as it is.
        """
        if _TEXT_FILE.match(data):
            self._other_tokens += len(data) * 3 // 4 // _BYTES_PER_TOKEN
            return
        self.media += 1
        self._other_tokens += max(_DOCUMENT_TOKENS, len(data) // _BASE64_PER_DOCUMENT_TOKEN)

    def add_image(self, data: str) -> None:
        """Count an image in base64, by its size in pixels."""
        size = size_of_base64(data)
        if size is None:
            self.add_medium()
            return
        tiles, scaled = size.tiles, min(size.tiles, _MAX_TILES)
        self._other_tokens += _USUAL_IMAGE_TOKENS + scaled * _USUAL_TILE_TOKENS
        self._image_bound += max(
            _DEAR_IMAGE_TOKENS + scaled * _DEAR_TILE_TOKENS, tiles * _UNSCALED_TILE_TOKENS
        )
        self._image_letters += len(data)

    def add_schemas(self, fields: Mapping[str, Any], *names: str) -> None:
        """Count what is shown to the model as JSON: its tools."""
        described = {name: fields[name] for name in names if name in fields}
        if described:
            self.text_bytes += len(encode_body(described, stream=False))

    @property
    def estimated_tokens(self) -> int:
        """About four bytes to a token, rounded up, and what is usual for images and documents."""
        return -(-self.text_bytes // _BYTES_PER_TOKEN) + self._other_tokens

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
        written = len(encode_body(fields, stream=False)) - self._image_letters
        return written + unseen + self._image_bound
