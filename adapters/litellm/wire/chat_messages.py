"""The messages of a chat request: what may stand in them, and how much text it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from creditcore.domain.errors import InvalidRequestError

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_MESSAGE_FIELDS = frozenset(
    {
        "annotations",
        "cache_control",
        "content",
        "function_call",
        "name",
        "partial",
        "prefix",
        "provider_specific_fields",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "refusal",
        "role",
        "thinking_blocks",
        "tool_call_id",
        "tool_calls",
    }
)
_TEXT_PARTS = frozenset({"text", "refusal", "thinking", "redacted_thinking"})
_IMAGE_SCHEMES = ("https://", "http://", "data:image/")
_IMAGE_TOKENS = 250
"""LiteLLM's own default for an image whose size it does not know."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages, cleaned.

    Attributes:
        messages: As they go upstream: fields that are null are left out.
        text_bytes: UTF-8 bytes of all text in them.
        media: Parts that are not text; no count of bytes bounds their tokens.
    """

    messages: list[dict[str, Any]]
    text_bytes: int
    media: int

    @property
    def estimated_tokens(self) -> int:
        """About four bytes to a token, rounded up, and a usual image for each medium."""
        return -(-self.text_bytes // 4) + self.media * _IMAGE_TOKENS


def read_messages(value: object) -> Prompt:
    """Understand ``messages``.

    Raises:
        InvalidRequestError: They cannot be served; ``param`` names the place.
    """
    if not isinstance(value, list) or not value:
        raise _invalid("messages", "must be a list of at least one message")
    reader = _Reader()
    messages = [reader.message(item, f"messages[{at}]") for at, item in enumerate(value)]
    return Prompt(messages, reader.text_bytes, reader.media)


class _Reader:
    """Walks the messages once, counting as it goes."""

    def __init__(self) -> None:
        self.text_bytes = 0
        self.media = 0
        self._parts: Mapping[str, Callable[[dict[str, Any], str], None]] = {
            **dict.fromkeys(_TEXT_PARTS, self._text_part),
            "image_url": self._image_part,
            "file": self._file_part,
        }

    def message(self, item: object, place: str) -> dict[str, Any]:
        if not isinstance(item, dict):
            raise _invalid(place, "must be an object")
        # SDKs echo an earlier answer with every field it could have had, as null.
        message = {name: value for name, value in item.items() if value is not None}
        role = message.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise _invalid(f"{place}.role", f"must be one of {', '.join(sorted(_ROLES))}")
        for name, value in message.items():
            if name not in _MESSAGE_FIELDS:
                raise InvalidRequestError(
                    f"A message has no field {name[:64]!r} here.",
                    param=f"{place}.{name[:64]}",
                    code="unknown_parameter",
                )
            if name == "content":
                self._content(value, f"{place}.content")
            elif name != "role":
                self._count(value)
        if item.get("content") is None:
            message["content"] = None
        return message

    def _content(self, content: object, place: str) -> None:
        if isinstance(content, str):
            self._count(content)
            return
        if not isinstance(content, list):
            raise _invalid(place, "must be a string, a list of parts, or null")
        for at, part in enumerate(content):
            self._part(part, f"{place}[{at}]")

    def _part(self, part: object, place: str) -> None:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str):
            raise _invalid(place, "must be an object with a type")
        read = self._parts.get(kind)
        if read is None:
            # Audio among them: it has a price of its own, which no price row here knows.
            raise InvalidRequestError(
                f"Parts of type {kind[:64]!r} are not served here.",
                param=f"{place}.type",
                code="unsupported_parameter",
            )
        read(part, place)

    def _text_part(self, part: dict[str, Any], place: str) -> None:
        if part["type"] == "text" and not isinstance(part.get("text"), str):
            raise _invalid(f"{place}.text", "must be a string")
        self._count(part)

    def _image_part(self, part: dict[str, Any], place: str) -> None:
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        if not isinstance(url, str) or not url.startswith(_IMAGE_SCHEMES):
            raise _invalid(f"{place}.image_url", "must be a web address or a data URL of an image")
        self.media += 1

    def _file_part(self, part: dict[str, Any], place: str) -> None:
        file = part.get("file")
        # Ids of stored files belong to the operator's account, which everybody shares.
        if not isinstance(file, dict) or file.get("file_id") is not None:
            raise _invalid(f"{place}.file", "must bring its content in file_data")
        if not isinstance(file.get("file_data"), str):
            raise _invalid(f"{place}.file.file_data", "must be a string")
        self.media += 1

    def _count(self, value: object) -> None:
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


def _invalid(place: str, rule: str) -> InvalidRequestError:
    return InvalidRequestError(f"{place} {rule}.", param=place, code="invalid_value")
