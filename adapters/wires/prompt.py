"""How much a prompt is: at most, and about."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from adapters.wires.body import encode_body
from adapters.wires.image_size import ImageSize, size_of_base64, unwrapped
from adapters.wires.pdf import Effort, measure_pdf
from creditcore.ports.inference import NO_MEDIA, MediaBound

_BYTES_PER_TOKEN = 4
_IMAGE_TOKENS = 250
"""LiteLLM's own default for an image whose size it does not know."""

_USUAL_IMAGE_TOKENS, _USUAL_TILE_TOKENS = 85, 170
"""LiteLLM counts these for an image and for each tile of 512 pixels of it, once scaled down."""

_DEAR_IMAGE_TOKENS, _DEAR_TILE_TOKENS = 2_833, 5_667
"""The same on the model that counts most for an image (gpt-4o-mini, OpenAI's price page)."""

_MAX_TILES = 8
"""OpenAI scales to 768 by 2048 pixels at most."""

_UNSCALED_TILE_TOKENS = 640
"""For models that take an image as it is: 32 by 32 pixels to 2.46 tokens (OpenAI's smallest)."""

_PATCH, _PATCHES_TOKENS = 32, (246, 100)
_SMALL_PATCH, _MOST_SMALL_PATCHES = 28, 4_784
"""Anthropic's, to which it scales an image down."""

_LEAST_CROP, _MOST_CROP, _CROP_TOKENS = 256, 768, 258
"""Gemini 2 cuts an image into squares of two thirds of its shorter side, within these."""

_LEAST_IMAGE_TOKENS, _LEAST_FINE_TOKENS = 1_120, 2_240
"""Gemini 3 counts about as many for any image (media resolution "high", its default, and "ultra
high"). LiteLLM makes one of what a client calls the detail."""

_USUAL_DETAILS = (None, "auto", "low", "medium", "high", "original")

_PAGE_IN_PATCHES = 6_150
"""OpenAI shows a page as 2,500 patches at most."""

_DEAR_PAGE_TOKENS = _DEAR_IMAGE_TOKENS + _MAX_TILES * _DEAR_TILE_TOKENS
_PAGE_MARKS = 64
"""What stands around the text of a page, such as its number."""

_DOCUMENT_TOKENS = 1_500
_BASE64_PER_DOCUMENT_TOKEN = 32
"""About a page, and what a page of text takes of a PDF."""

_TEXT_FILE = re.compile(
    r"data:(?:text/(?!csv|tab|tsv)[a-z0-9.+-]{1,40}"
    r"|application/(?:[a-z0-9.-]{1,40}\+)?(?:json|xml|yaml)"
    r"|application/(?:x-)?(?:httpd-php|javascript|jsonlines|latex|ndjson|python(?:-code)?|ruby|sh"
    r"|shellscript|sql|tex|toml|typescript|yaml))"
    r"(?:; ?charset=(?:utf-8|us-ascii))?(?:;base64)?,",
    re.IGNORECASE,
)
"""Not tables, of which OpenAI makes more text than is in them."""

_TEXT_NAME = re.compile(
    r"[^.]*|\.[a-z]+(?:config|ignore|rc)"
    r"|.*\.(?:asm|astro|bash|bat|bib|c|cc|cfg|clj|cmake|conf|cpp|cs|css|cxx|dart|diff|elm|env|erl"
    r"|exs?|fish|fs|go|gradle|graphql|groovy|hh?|hpp|hs|html?|hxx|ini|java|jl|jsx?|json|jsonl|kts?"
    r"|less|lisp|lock|log|lua|markdown|mdx?|mjs|mm?|mts|ndjson|nix|patch|php|pl|proto|ps1|py|pyi|r"
    r"|rb|rs|rst|s|sass|scala|scss|sh|sol|sql|srt|svelte|swift|tex|text|tf|toml|tsx?|txt|vtt|vue"
    r"|xml|ya?ml|zig|zsh)",
    re.IGNORECASE | re.DOTALL,
)
_MAX_TEXT_LETTERS = 4 * 1024 * 1024
"""More is beyond any context."""

_PDF_NAME = re.compile(r".*\.pdf", re.IGNORECASE | re.DOTALL)
_PDF_FILE = re.compile(r"(?:data:application/pdf;base64,)?(?=JVBERi)", re.IGNORECASE)

UNSEEN_TOKENS = 256
"""What templates add unseen: the preamble of a model, today's date, its channels."""

_UNSEEN_TOOL_TOKENS = 768
"""What providers add when there are tools: Anthropic writes up to 600 tokens about using them."""


class Prompt:
    """The size of a prompt, added up while its parts are read.

    Attributes:
        text_bytes: UTF-8 bytes of all text in it.
        media: Parts that are not text, and whose tokens nothing in the request bounds.

    PDFs are read when a bound is asked for: reading takes long, and a rough count needs none.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.text_bytes = 0
        self.media = 0
        self._other_tokens = 0
        self._unseen = UNSEEN_TOKENS
        self._media_bound = NO_MEDIA
        self._media_letters = 0
        self._papers: list[tuple[str, int]] = []

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

    def add_document(self, data: str, name: object = None, *, kind: str | None = None) -> None:
        """Count a document in base64.

        A PDF is as many tokens as its pages and the text on them; a file of text as many as it
        has bytes at most. Nothing bounds any other.

        Args:
            data: The document, alone or as a data URL.
            name: Its name, where it has one: some providers go by that alone.
            kind: The media type that is written beside it, where one is.
        """
        named = name if isinstance(name, str) and name else None
        is_text = _TEXT_FILE.match(data) and (kind is None or data.startswith(f"data:{kind};"))
        if is_text and (named is None or _TEXT_NAME.fullmatch(named)):
            self._other_tokens += len(data) * 3 // 4 // _BYTES_PER_TOKEN
            if not _is_utf8(data):
                # Up to three bytes of UTF-8 for each of it, of which the letters here cover 4/3.
                self._add_media(MediaBound(*(len(data) * 5 // 4,) * 4), letters=0)
            return
        self._other_tokens += max(_DOCUMENT_TOKENS, len(data) // _BASE64_PER_DOCUMENT_TOKEN)
        head = _PDF_FILE.match(data)
        is_pdf = kind in (None, "application/pdf") and (named is None or _PDF_NAME.fullmatch(named))
        if head is not None and is_pdf:
            self._papers.append((data, head.end()))
        else:
            self.media += 1

    def _read_papers(self) -> None:
        """Count the PDFs that were not read yet."""
        if not self._papers:
            return
        effort = Effort()
        for data, begin in self._papers:
            if not self._add_pdf(data, begin, effort):
                self.media += 1
        self._papers.clear()

    def _add_pdf(self, data: str, begin: int, effort: Effort) -> bool:
        """Count a PDF, whose base64 begins there; say whether it has a bound."""
        try:
            letters = unwrapped(data[begin:])
            size = measure_pdf(base64.b64decode(letters, validate=True), effort)
        except (binascii.Error, ValueError):
            return False
        if size is None:
            return False
        text = size.text_bytes + size.pages * _PAGE_MARKS
        per_page = (_DEAR_PAGE_TOKENS, _PAGE_IN_PATCHES, *(_MOST_SMALL_PATCHES,) * 2)
        bound = MediaBound(*(text + size.pages * tokens for tokens in per_page))
        self._add_media(bound, letters=len(data) - begin)
        return True

    def add_image(self, data: str, *, kind: str | None = None, detail: object = None) -> None:
        """Count an image in base64, by its size in pixels.

        Args:
            data: Its file.
            kind: The media type that is written beside it, where one is. What begins as an image
                can be a document as well.
            detail: How closely the model should look, where the request says so.
        """
        is_image = kind is None or kind.startswith("image/")
        # Behind a comma, some would read another image.
        size = size_of_base64(data) if is_image and "," not in data else None
        if size is None:
            self.add_medium()
            return
        bound = _bound_of_image(size, detail)
        self._other_tokens += bound.in_tiles
        self._add_media(bound, letters=len(data))

    def _add_media(self, bound: MediaBound, *, letters: int) -> None:
        self._media_bound = MediaBound(*map(sum, zip(self._media_bound, bound, strict=True)))
        self._media_letters += letters

    def add_unseen(self, *, most: int, usual: int) -> None:
        """Count tokens that the provider adds for what the request names."""
        self._unseen += most
        self._other_tokens += usual

    def add_schemas(self, fields: Mapping[str, Any], *names: str) -> None:
        """Count what is shown to the model as JSON: its tools."""
        described = {name: fields[name] for name in names if name in fields}
        if described:
            self.text_bytes += len(encode_body(described, stream=False))

    @property
    def estimated_tokens(self) -> int:
        """About four bytes to a token, rounded up, and what is usual for the rest."""
        return -(-self.text_bytes // _BYTES_PER_TOKEN) + self._other_tokens

    def bound(self, fields: Mapping[str, Any], body: bytes | None = None) -> int | None:
        """Return tokens that the prompt can never exceed, or None if its bytes bound nothing.

        A token of a byte-level vocabulary stands for at least one byte of text, and all text
        is in the body: messages, tools, schemas. What the model's template wraps around a
        message (a role and two or three markers) is less than what JSON wraps around it: the
        shortest message, ``{"role":"user","content":""}``, has 28 bytes of that. Only what is
        added once for the call, unseen, needs room beside it.

        Args:
            fields: The cleaned body.
            body: What ``encode_body`` makes of it for a plain call, where that is known.
        """
        self._read_papers()
        if self.media:
            return None
        unseen = self._unseen
        if "tools" in fields or "functions" in fields:
            unseen += _UNSEEN_TOOL_TOKENS
        written = encode_body(fields, stream=False) if body is None else body
        return len(written) - self._media_letters + unseen + self._media_bound.most

    @property
    def media_bound(self) -> MediaBound:
        """What images and documents are of the bound."""
        self._read_papers()
        return self._media_bound


def _is_utf8(url: str) -> bool:
    """Whether a short text in a data URL is surely UTF-8."""
    head, _, data = url.partition(",")
    if not head.endswith(";base64"):
        return True
    try:
        base64.b64decode(data[:_MAX_TEXT_LETTERS], validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return len(data) <= _MAX_TEXT_LETTERS


def _bound_of_image(size: ImageSize, detail: object) -> MediaBound:
    """Return what an image is at most.

    Low detail is one of OpenAI's: its models that count in tiles take none then. Claude is not
    told of it, models that count in patches may count them all, and so may one that is not known.
    """
    tiles = 0 if detail == "low" else min(size.tiles, _MAX_TILES)
    scaled_down = _tokens_scaled_down(size, detail)
    most = max(
        _DEAR_IMAGE_TOKENS + tiles * _DEAR_TILE_TOKENS,
        size.tiles * _UNSCALED_TILE_TOKENS,
        scaled_down,
    )
    in_tiles = _USUAL_IMAGE_TOKENS + tiles * _USUAL_TILE_TOKENS
    return MediaBound(most, _tokens_in_patches(size), scaled_down, in_tiles)


def _tokens_in_patches(size: ImageSize) -> int:
    tokens, of_patches = _PATCHES_TOKENS
    return max(_tokens_of_tiles(size), -(-_patches(size, _PATCH) * tokens // of_patches))


def _tokens_scaled_down(size: ImageSize, detail: object) -> int:
    shorter = min(size.width, size.height)
    crops = _patches(size, min(max(shorter * 2 // 3, _LEAST_CROP), _MOST_CROP))
    return max(
        _LEAST_IMAGE_TOKENS if detail in _USUAL_DETAILS else _LEAST_FINE_TOKENS,
        _tokens_of_tiles(size),
        min(_patches(size, _SMALL_PATCH), _MOST_SMALL_PATCHES),
        crops * _CROP_TOKENS,
    )


def _tokens_of_tiles(size: ImageSize) -> int:
    return _USUAL_IMAGE_TOKENS + min(size.tiles, _MAX_TILES) * _USUAL_TILE_TOKENS


def _patches(size: ImageSize, side: int) -> int:
    return -(-size.width // side) * -(-size.height // side)
