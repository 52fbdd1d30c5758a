"""Everyday requests, and what each wire holds for them.

Those of clients are recorded ones, whose texts were replaced by their lengths: a text of that
length stands in for them.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.responses import Responses
from creditcore.domain.pricing import ImageCount
from creditcore.domain.pricing.text_bound import text_bound
from creditcore.ports.inference import Wire
from tests.unit.wires.test_images import png

DATA = Path(__file__).parents[2] / "data"
WIRES: dict[str, Wire] = {
    "chat": ChatCompletions(),
    "messages": Messages(),
    "responses": Responses(),
}
_LEFT_OUT = re.compile(r"<text of (\d+)>")
_PICTURE = re.compile(r"<picture of (\d+) x (\d+)>")

OPENAI, CLAUDE, NOT_KNOWN = (
    frozenset({ImageCount.IN_TILES}),
    frozenset({ImageCount.CLAUDE_4_7}),
    frozenset[str](),
)


class Everyday(NamedTuple):
    """A request.

    Attributes:
        name: What it is.
        wire: The protocol of it.
        fields: Its body.
        counted: Its tokens, as LiteLLM counts them for gpt-4o.
    """

    name: str
    wire: str
    fields: dict[str, Any]
    counted: int

    @property
    def by_bytes(self) -> int:
        """Tokens that its prompt was held for when each byte was one, on the dearest model."""
        request = WIRES[self.wire].parse(orjson.dumps({"model": "any", **self.fields}))
        assert request.prompt_bound is not None
        return request.prompt_bound

    def held(self, features: frozenset[str]) -> int:
        """Return the tokens that its prompt is held for on a model with these features."""
        request = WIRES[self.wire].parse(orjson.dumps({"model": "any", **self.fields}))
        assert request.prompt_bound is not None
        media = request.media_bound
        by_bytes = request.prompt_bound - media.most
        return text_bound(by_bytes, request.text_size, features) + media.tokens(features)


def everyday() -> Iterator[Everyday]:
    """Yield the requests."""
    rows = json.loads((DATA / "everyday-requests.json").read_text())
    stand_in = next(row for row in rows if "documentation" in row["name"])
    text = stand_in["body"]["messages"][0]["content"]
    for row in rows:
        yield Everyday(row["name"], row["wire"], filled(row["body"], text), row["counted"])


def filled(value: Any, text: str) -> Any:
    """Return a recorded value with texts of the lengths that were recorded."""
    if isinstance(value, dict):
        return {name: filled(each, text) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, text) for each in value]
    if not isinstance(value, str):
        return value
    if (left_out := _LEFT_OUT.fullmatch(value)) is not None:
        length = int(left_out[1])
        return (text * (length // len(text) + 1))[:length]
    if (picture := _PICTURE.fullmatch(value)) is not None:
        file = b64encode(png(int(picture[1]), int(picture[2]))).decode()
        return f"data:image/png;base64,{file}"
    return value
