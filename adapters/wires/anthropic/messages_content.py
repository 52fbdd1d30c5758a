"""The content of a messages request: what may stand in it, and how much text it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from adapters.wires.addresses import stated_kind
from adapters.wires.fields import invalid
from adapters.wires.parts import PartReader, ReadPart, read_object
from adapters.wires.prompt import Prompt

# ``system`` among the messages: Claude Code sends reminders so since anthropic-python 2.14.
_ROLES = ("user", "assistant", "system")
# A message of the system may say when it is to be taken away again.
_MESSAGE_FIELDS = frozenset({"role", "content", "clear_at"})


def read_content(messages: object, system: object) -> tuple[list[dict[str, Any]], Prompt]:
    """Return ``messages`` as they go upstream, and the size of them and of ``system``.

    Raises:
        InvalidRequestError: They cannot be served; ``param`` names the place.
    """
    if not isinstance(messages, list) or not messages:
        raise invalid("messages", "must be a list of at least one message")
    reader = _Reader()
    if system is not None:
        reader.content(system, "system", {"text": PartReader.text})
    return [reader.message(item, f"messages[{at}]") for at, item in enumerate(messages)], (
        reader.prompt
    )


class _Reader(PartReader):
    """Walks the messages once, counting as it goes."""

    def message(self, item: object, place: str) -> dict[str, Any]:
        message = read_object(item, place, noun="A message", known=_MESSAGE_FIELDS)
        if message.get("role") not in _ROLES:
            raise invalid(f"{place}.role", f"must be one of {', '.join(_ROLES)}")
        self.content(message.get("content"), f"{place}.content", self._kinds)
        self.prompt.add_text(message.get("clear_at"))
        return message

    def _result(self, part: dict[str, Any], place: str) -> None:
        if part.get("content") is not None:
            self.content(part["content"], f"{place}.content", self._results)

    def _sourced(self, part: dict[str, Any], place: str) -> None:
        """Read an image or a document, which says where it is."""
        place = f"{place}.source"
        source = part.get("source")
        kind = source.get("type") if isinstance(source, dict) else None
        if not isinstance(source, dict) or kind not in ("base64", "url", "text", "content"):
            # Ids of stored files belong to the operator's account, which all share.
            raise invalid(place, "must bring its content, or its address on the web")
        if kind == "url":
            source["url"] = self.web_address(source.get("url"), f"{place}.url")
        elif kind == "content":
            self.content(source.get("content"), f"{place}.content", self._results)
        elif not isinstance(source.get("data"), str):
            raise invalid(f"{place}.data", "must be a string")
        elif kind == "base64":
            self._inline(part["type"], source)
        else:
            self.prompt.add_text(part)

    def _inline(self, noun: str, source: dict[str, Any]) -> None:
        if (kind := stated_kind(source)) is not None:
            source["media_type"] = kind
        if noun == "image":
            self.prompt.add_image(source["data"], kind=kind)
        else:
            self.prompt.add_document(source["data"], kind=kind)

    # What tools of the provider leave behind is missing here as they are.
    _results: ClassVar[Mapping[str, ReadPart]] = {
        "text": PartReader.text,
        "image": _sourced,
        "document": _sourced,
        "search_result": PartReader.any_text,
    }
    _kinds: ClassVar[Mapping[str, ReadPart]] = {
        **_results,
        **dict.fromkeys(("thinking", "redacted_thinking", "tool_use"), PartReader.any_text),
        "tool_result": _result,
    }
