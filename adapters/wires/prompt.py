"""How much a prompt is: at most, and about."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from adapters.wires.body import encode_body
from adapters.wires.image_size import size_of_base64, unwrapped
from adapters.wires.image_tokens import bound_of_image, bound_of_pages, usual_tokens
from adapters.wires.pdf import Effort, measure_pdf
from adapters.wires.tokens import spared_in_json
from creditcore.domain.pricing.text_bound import (
    PLAIN_TEXT,
    SHORT_TEXT,
    UNSEEN_TOKENS,
    UNSEEN_TOOL_TOKENS,
    TextSize,
)
from creditcore.ports.inference import NO_MEDIA, MediaBound

_BYTES_PER_TOKEN = 4
_IMAGE_TOKENS = 250
"""LiteLLM's own default for an image whose size it does not know."""

SHORT_BYTES = 512
"""Text is held by its bytes up to here: there is little to spare, and most calls are such."""

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
_FORMATS, _WITH_FORMAT = ("response_format", "output_format"), ("output_config", "text")
_AS_TEXT = {"type": "text"}
_MAY_BRING_TOOLS = frozenset({"tools", "functions", *_FORMATS, *_WITH_FORMAT})

_MAX_TEXT_LETTERS = 4 * 1024 * 1024
"""More is beyond any context."""

_PDF_NAME = re.compile(r".*\.pdf", re.IGNORECASE | re.DOTALL)
_PDF_FILE = re.compile(r"(?:data:application/pdf;base64,)?(?=JVBERi)", re.IGNORECASE)


class Prompt:
    """The size of a prompt, added up while its parts are read.

    Attributes:
        text_bytes: UTF-8 bytes of all text in it.
        media: Parts that are not text, and whose tokens nothing in the request bounds.
        text_size: What is known of the text beside its bytes, once a bound was asked for.
        has_tools: Whether tools are described within it.

    PDFs are read when a bound is asked for: reading takes long, and a rough count needs none.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.text_bytes = 0
        self.media = 0
        self.has_tools = False
        self._other_tokens = 0
        self._named_tokens = 0
        self.text_size = PLAIN_TEXT
        self._media_bound = NO_MEDIA
        self._media_letters = 0
        self._data: list[str] = []
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
        self._data.append(data)
        named = name if isinstance(name, str) and name else None
        is_text = _TEXT_FILE.match(data) and (kind is None or data.startswith(f"data:{kind};"))
        if is_text and (named is None or _TEXT_NAME.fullmatch(named)):
            self._other_tokens += len(data) * 3 // 4 // _BYTES_PER_TOKEN
            if not _is_utf8(data):
                # Up to three bytes of UTF-8 for each of it, of which the letters here cover 4/3.
                self._add_media(MediaBound.on_any(len(data) * 5 // 4), letters=0)
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
        text = MediaBound.on_any(size.text_bytes + size.pages * _PAGE_MARKS)
        self._add_media(text + bound_of_pages(size.pages), letters=len(data) - begin)
        return True

    def add_image(self, data: str, *, kind: str | None = None, detail: object = None) -> None:
        """Count an image in base64, by its size in pixels.

        Args:
            data: Its file.
            kind: The media type that is written beside it, where one is. What begins as an image
                can be a document as well.
            detail: How closely the model should look, where the request says so; ``ANY_DETAIL``
                where that may be lost.
        """
        self._data.append(data)
        is_image = kind is None or kind.startswith("image/")
        # Behind a comma, some would read another image.
        size = size_of_base64(data) if is_image and "," not in data else None
        if size is None:
            self.add_medium()
            return
        self._other_tokens += usual_tokens(size, detail)
        self._add_media(bound_of_image(size, detail), letters=len(data))

    def _add_media(self, bound: MediaBound, *, letters: int) -> None:
        self._media_bound += bound
        self._media_letters += letters

    def add_unseen(self, *, most: int, usual: int) -> None:
        """Count tokens that the provider adds for what the request names."""
        self._named_tokens += most
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
        has_tools = self.has_tools or _brings_tools(fields)
        unseen = UNSEEN_TOKENS + UNSEEN_TOOL_TOKENS * has_tools
        written = encode_body(fields, stream=False) if body is None else body
        spared = self._spared(written) if len(written) >= SHORT_BYTES else 0
        self.text_size = TextSize(spared, unseen, has_tools) if spared or has_tools else SHORT_TEXT
        text = len(written) - self._media_letters + unseen + self._named_tokens
        return text + self._media_bound.most

    def _spared(self, written: bytes) -> int:
        """Return how many fewer tokens than bytes the body is, without the files in it."""
        if not self._data:  # as for nearly every call
            return spared_in_json(written)
        texts, at = [], 0
        for data in map(str.encode, self._data):
            # They come in the order in which they were read. What has a copy of one before it is
            # as long without that.
            begin = written.find(data, at)
            if begin < 0:
                return 0
            texts.append(written[at:begin])
            at = begin + len(data)
        texts.append(written[at:])
        return spared_in_json(b"\n".join(texts))

    @property
    def media_bound(self) -> MediaBound:
        """What images and documents are of the bound."""
        self._read_papers()
        return self._media_bound


def _brings_tools(fields: Mapping[str, Any]) -> bool:
    """Whether a model is told about tools. LiteLLM makes one of the schema of an answer.

    It does so for many models of Anthropic and at Bedrock, which then add what they say of tools.
    """
    if _MAY_BRING_TOOLS.isdisjoint(fields):  # as for nearly every call
        return False
    if "tools" in fields or "functions" in fields:
        return True
    formats = [fields.get(name) for name in _FORMATS]
    formats += [
        settings.get("format")
        for name in _WITH_FORMAT
        if isinstance(settings := fields.get(name), dict)
    ]
    return any(each and each != _AS_TEXT for each in formats)


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
