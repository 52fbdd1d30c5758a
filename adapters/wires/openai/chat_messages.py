"""The messages of a chat request: what may stand in them, and how much text it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from adapters.wires.addresses import stated_kind, usual_address
from adapters.wires.fields import invalid
from adapters.wires.parts import PartReader, ReadPart, read_message
from adapters.wires.prompt import Prompt

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_MESSAGE_FIELDS = frozenset(
    {
        "annotations",
        "cache_control",
        "content",
        "extra_content",
        "function_call",
        "name",
        "partial",
        "prefix",
        "provider_specific_fields",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "reasoning_opaque",
        "reasoning_text",
        "refusal",
        "role",
        "thinking_blocks",
        "tool_call_id",
        "tool_calls",
    }
)


_DROPPED_FIELDS = frozenset(
    {
        "citations",
        "copilot_cache_control",
        "id",
        "metadata",
        "parsed",
        "timestamp",
        "token_ids",
        "usage",
    }
)
"""What chat programs note beside a message. None of it is text that a model reads."""


def read_messages(value: object) -> tuple[list[dict[str, Any]], Prompt]:
    """Return ``messages`` as they go upstream, and their size.

    Raises:
        InvalidRequestError: They cannot be served; ``param`` names the place.
    """
    if not isinstance(value, list) or not value:
        raise invalid("messages", "must be a list of at least one message")
    reader = _Reader()
    messages = [reader.message(item, f"messages[{at}]") for at, item in enumerate(value)]
    return messages, reader.prompt


class _Reader(PartReader):
    """Walks the messages once, counting as it goes."""

    def message(self, item: object, place: str) -> dict[str, Any]:
        message = read_message(item, place, known=_MESSAGE_FIELDS, dropped=_DROPPED_FIELDS)
        role = message.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise invalid(f"{place}.role", f"must be one of {', '.join(sorted(_ROLES))}")
        for name, value in message.items():
            if name == "content" and not isinstance(value, str):
                self.content(value, f"{place}.content", self._kinds)
            elif name != "role":
                self.prompt.add_text(value)
        # Null is what a message of tool calls alone says.
        message.setdefault("content", None)
        return message

    def _image(self, part: dict[str, Any], place: str) -> None:
        image = part.get("image_url")
        place = f"{place}.image_url"
        if isinstance(image, dict):
            image["url"] = self.image_address(
                image.get("url"), place, kind=stated_kind(image), detail=image.get("detail")
            )
        else:
            part["image_url"] = self.image_address(image, place)

    def _file(self, part: dict[str, Any], place: str) -> None:
        file = part.get("file")
        # Ids of stored files belong to the operator's account, which all share.
        if not isinstance(file, dict) or file.get("file_id") is not None:
            raise invalid(f"{place}.file", "must bring its content in file_data")
        if not isinstance(file.get("file_data"), str):
            raise invalid(f"{place}.file.file_data", "must be a string")
        file["file_data"] = usual_address(file["file_data"])
        self.prompt.add_document(file["file_data"], file.get("filename"), kind=stated_kind(file))

    _kinds: ClassVar[Mapping[str, ReadPart]] = {
        "text": PartReader.text,
        **dict.fromkeys(("refusal", "thinking", "redacted_thinking"), PartReader.any_text),
        "image_url": _image,
        "file": _file,
    }
