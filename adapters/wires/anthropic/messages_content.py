"""The content of a messages request: what may stand in it, and how much text it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from adapters.wires.addresses import stated_kind
from adapters.wires.fields import invalid
from adapters.wires.parts import PartReader, ReadPart, read_message, unserved
from adapters.wires.prompt import Prompt

# ``system`` among the messages: Claude Code sends reminders so since anthropic-python 2.14.
_ROLES = ("user", "assistant", "system")
# A message of the system may say when it is to be taken away again, and how much effort is made
# from there on: no answer becomes longer than its limit by that.
_MESSAGE_FIELDS = frozenset({"role", "content", "clear_at", "output_config"})
_DROPPED_FIELDS = frozenset({"metadata", "stop_details", "usage"})
"""What stands beside the content of a whole answer, for those who send it back as it came."""

_CUSTOM = "custom"


class Content(NamedTuple):
    """What a request says.

    Attributes:
        messages: As they go upstream.
        prompt: The size of them and of the system before them.
        tool_names: Which tools they refer to, each as often as they do.
        tools: Those that they describe.
    """

    messages: list[dict[str, Any]]
    prompt: Prompt
    tool_names: list[str]
    tools: list[dict[str, Any]]


def read_content(messages: object, system: object) -> Content:
    """Read ``messages``, and ``system`` before them.

    Raises:
        InvalidRequestError: They cannot be served; ``param`` names the place.
    """
    if not isinstance(messages, list) or not messages:
        raise invalid("messages", "must be a list of at least one message")
    reader = _Reader()
    if system is not None:
        reader.content(system, "system", {"text": PartReader.text})
    read = [reader.message(item, f"messages[{at}]") for at, item in enumerate(messages)]
    return Content(read, reader.prompt, reader.tool_names, reader.tools)


class _Reader(PartReader):
    """Walks the messages once, counting as it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.tool_names: list[str] = []
        self.tools: list[dict[str, Any]] = []

    def message(self, item: object, place: str) -> dict[str, Any]:
        message = read_message(item, place, known=_MESSAGE_FIELDS, dropped=_DROPPED_FIELDS)
        if message.get("role") not in _ROLES:
            raise invalid(f"{place}.role", f"must be one of {', '.join(_ROLES)}")
        # One that says nothing but how much effort is made has no content.
        if "content" in message or "output_config" not in message:
            self.content(message.get("content"), f"{place}.content", self._kinds)
        self.prompt.add_text(message.get("clear_at"))
        return message

    def _result(self, part: dict[str, Any], place: str) -> None:
        if part.get("content") is not None:
            self.content(part["content"], f"{place}.content", self._of_tools)

    def _reference(self, part: dict[str, Any], place: str) -> None:
        """Read the name of a tool that was deferred, and is shown from here on."""
        self._named(part.get("tool_name"), f"{place}.tool_name")

    def _change(self, part: dict[str, Any], place: str) -> None:
        """Read which tool the model has from here on, or has no more."""
        place = f"{place}.tool"
        tool = part.get("tool")
        kind = tool.get("type") if isinstance(tool, dict) else None
        if not isinstance(tool, dict) or not isinstance(kind, str):
            raise invalid(place, "must be an object with a type")
        described = tool.get("definition")
        if kind == "tool_reference":
            self._named(tool.get("name"), f"{place}.name")
        elif kind != "tool_definition" or not isinstance(described, dict):
            raise unserved(kind, place)
        elif described.get("type") not in (None, _CUSTOM):
            raise unserved(str(described["type"]), f"{place}.definition")
        else:
            self.tools.append(described)
            self.prompt.has_tools = True
            self.prompt.add_text(described)

    def _named(self, name: object, place: str) -> None:
        if not isinstance(name, str):
            raise invalid(place, "must be a string")
        self.tool_names.append(name)
        self.prompt.add_text(name)

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
    _of_tools: ClassVar[Mapping[str, ReadPart]] = {**_results, "tool_reference": _reference}
    _kinds: ClassVar[Mapping[str, ReadPart]] = {
        **_results,
        **dict.fromkeys(("thinking", "redacted_thinking", "tool_use"), PartReader.any_text),
        "tool_result": _result,
        "tool_addition": _change,
        "tool_removal": _change,
    }
