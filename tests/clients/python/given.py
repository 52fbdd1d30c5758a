"""What a client is given to ask with, and how the pieces of its streams are put together."""

import base64
import os
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel

BASE_URL = os.environ["BASE_URL"]
URL = f"{BASE_URL}/v1"
MODEL = "gpt-4o"
CLAUDE = "claude-sonnet-4-5"
EMBEDDING = "demo-embedding"
PAINTER = "dall-e-3"
SPEAKER = "tts-1"
PICTURE_64, DOCUMENT_64 = os.environ["PICTURE"], os.environ["DOCUMENT"]
PICTURE, DOCUMENT = base64.b64decode(PICTURE_64), base64.b64decode(DOCUMENT_64)
PICTURE_URL = f"data:image/png;base64,{PICTURE_64}"
DOCUMENT_URL = f"data:application/pdf;base64,{DOCUMENT_64}"


@dataclass(frozen=True)
class Call:
    """With which key to ask, and what."""

    key: str
    prompt: str


class Place(BaseModel):
    """A place on the map, as structured output."""

    city: str


def weather(city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


TOOL = {
    "name": "weather",
    "description": "Tell the weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}

# The same in the fields of OpenAI's chat, for the clients that take those.
CHAT_TOOL = {"type": "function", "function": TOOL}
CHAT_PICTURE = {"type": "image_url", "image_url": {"url": PICTURE_URL}}
CHAT_DOCUMENT = {"type": "file", "file": {"filename": "a.pdf", "file_data": DOCUMENT_URL}}


def chat_messages(call: Call, *parts: dict) -> list[dict]:
    """Return the one message of a call, with more parts behind its prompt."""
    return [{"role": "user", "content": [{"type": "text", "text": call.prompt}, *parts]}]


def is_enough(text: str) -> bool:
    """Whether so much of a stream was read that it is given up."""
    return "token 4" in text


def to_its_end(_text: str) -> bool:
    """Say of no stream that enough of it was read."""
    return False


def joined(pieces: Iterable[str | None], is_read: Callable[[str], bool] = to_its_end) -> str:
    """Read a stream of pieces to its end, or as far as wanted."""
    text = ""
    for piece in pieces:
        text += piece or ""
        if is_read(text):
            break
    return text


async def joined_later(
    pieces: AsyncIterable[str], is_read: Callable[[str], bool] = to_its_end
) -> str:
    """Read an asynchronous stream of pieces to its end, or as far as wanted."""
    text = ""
    async for piece in pieces:
        text += piece
        if is_read(text):
            break
    return text
