"""The wire of ``POST /v1/messages/count_tokens``: how large a request is, for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from adapters.wires.anthropic.messages import Messages
from adapters.wires.fields import unknown
from adapters.wires.prompt import Prompt
from adapters.wires.request import given_fields
from adapters.wires.text import TextCollector
from creditcore.domain.pricing.text_bound import PLAIN_TEXT
from creditcore.ports.prompt_counts import PromptText
from creditcore.ports.token_counters import RequestToCount

_COUNTED = ("model", "messages", "system", "tools")
_MEDIA = ("image", "document")
_RESULT = "tool_result"


class CountTokens:
    """Reads messages requests, and estimates them by their bytes, as a call without a report.

    In an estimate documents count by their length: reading them takes long, and nothing is paid.
    """

    endpoint = "/v1/messages/count_tokens"

    def read(self, body: bytes) -> RequestToCount:
        """Understand a request body, and estimate its size.

        Raises:
            InvalidRequestError: It could not be served as a call; the error names the field.
        """
        given = given_fields(body)
        for name in ("max_tokens", "stream"):
            if name in given:
                raise unknown(name)
        checked, prompt = Messages().check({**given, "max_tokens": 1})
        fields = {name: checked[name] for name in _COUNTED if name in checked}
        text = _text_of(fields)
        alone = Prompt()
        for _, said in text.messages if text else ():
            alone.add_text(said)
        return RequestToCount(
            fields=fields,
            written=orjson.dumps(fields),
            texts=tuple(_texts_in(fields)),
            text=text,
            estimate=prompt.estimated_tokens,
            estimate_beside=max(0, prompt.estimated_tokens - alone.estimated_tokens),
        )

    def document(self, tokens: int) -> bytes:
        """Return the answer as Anthropic's SDKs read it."""
        return orjson.dumps({"input_tokens": tokens})


def _text_of(fields: Mapping[str, Any]) -> PromptText | None:
    """Return the text of a request, with its tools as they are written."""
    text = TextCollector()
    text.add(fields.get("system"))
    if fields.get("tools"):
        text.add_bare(orjson.dumps(fields["tools"]).decode())
    text.add_messages(fields["messages"])
    return text.found(of=PLAIN_TEXT)


def _texts_in(fields: Mapping[str, Any]) -> Iterator[str]:
    """Return all strings of a request but its images and documents, which are no text to count.

    What only looks like one, such as in what a tool is called with, may be counted as text.
    """
    for message in fields["messages"]:
        yield from _strings_in({**message, "content": None})
        yield from _said_in(message.get("content"))
    yield from _strings_in(fields.get("system"))
    yield from _strings_in(fields.get("tools"))


def _said_in(content: object) -> Iterator[str]:
    if not isinstance(content, list):
        yield from _strings_in(content)
        return
    for part in content:
        kind = part.get("type")
        if kind == _RESULT:
            yield from _said_in(part.get("content"))
        elif kind not in _MEDIA:
            yield from _strings_in(part)


def _strings_in(value: object) -> Iterator[str]:
    """Return the strings of any JSON value. Iterative: a client chooses how deep it is."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
