"""The input of a responses request: what may stand in it, and how much text it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from adapters.wires.addresses import usual_address
from adapters.wires.fields import invalid
from adapters.wires.image_tokens import ANY_DETAIL
from adapters.wires.openai.own_tools import CALLS, RESULTS, read_own_tools
from adapters.wires.parts import PartReader, ReadPart, unserved
from adapters.wires.prompt import Prompt
from creditcore.domain.errors import InvalidRequestError

_MESSAGE = "message"
_ROLES = ("user", "assistant", "system", "developer")

# What the model wrote before, and what the client's tools made of it.
_ECHOED_ITEMS = frozenset({"function_call", "custom_tool_call", "reasoning", *CALLS, *RESULTS})
_TOOL_LISTS = frozenset({"additional_tools", "tool_search_output"})
_TOOL_RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})


def read_input(value: object, instructions: object) -> Prompt:
    """Check ``input`` and ``instructions``, and return their size.

    Raises:
        InvalidRequestError: They cannot be served; ``param`` names the place.
    """
    reader = _Reader()
    if instructions is not None and not isinstance(instructions, str):
        raise invalid("instructions", "must be a string")
    reader.prompt.add_text(instructions)
    if isinstance(value, str):
        reader.prompt.add_text(value)
        return reader.prompt
    if not isinstance(value, list) or not value:
        raise invalid("input", "must be a string or a list of at least one item")
    for at, item in enumerate(value):
        reader.item(item, f"input[{at}]")
    return reader.prompt


class _Reader(PartReader):
    """Walks the items once, counting as it goes."""

    def item(self, item: object, place: str) -> None:
        if not isinstance(item, dict):
            raise invalid(place, "must be an object")
        if item.get("type", _MESSAGE) is None:
            del item["type"]
        kind = item.get("type", _MESSAGE)
        if kind == _MESSAGE:
            if item.get("role") not in _ROLES:
                raise invalid(f"{place}.role", f"must be one of {', '.join(_ROLES)}")
            self.content(item.get("content"), f"{place}.content", self._kinds)
        elif not isinstance(kind, str):
            raise invalid(f"{place}.type", "must be a string")
        elif kind in _TOOL_RESULTS:
            self.content(item.get("output"), f"{place}.output", self._result_kinds)
        elif kind in _ECHOED_ITEMS:
            self.prompt.add_text(item)
        elif kind in _TOOL_LISTS:
            read_own_tools(item.get("tools"), self.prompt, place=f"{place}.tools")
            self.prompt.has_tools = True
            self.prompt.add_text(item)
        elif kind == "computer_call_output":
            self._screenshot(item, f"{place}.output")
        else:
            raise _refusal(kind, place)

    def _screenshot(self, item: dict[str, Any], place: str) -> None:
        if not isinstance(output := item.get("output"), dict):
            raise invalid(place, "must be an object")
        # As of a result: LiteLLM may forget how closely to look where it translates one.
        self._image_of_result(output, place)

    def _image(self, part: dict[str, Any], place: str) -> None:
        self._add_image(part, place, detail=part.get("detail"))

    def _image_of_result(self, part: dict[str, Any], place: str) -> None:
        # LiteLLM forgets the detail where it makes a chat message of a tool's result.
        self._add_image(part, place, detail=ANY_DETAIL)

    def _add_image(self, part: dict[str, Any], place: str, *, detail: object) -> None:
        self._refuse_id(part, place)
        part["image_url"] = self.image_address(
            part.get("image_url"), f"{place}.image_url", detail=detail
        )

    def _file(self, part: dict[str, Any], place: str) -> None:
        self._refuse_id(part, place)
        if part.get("file_url") is not None:
            part["file_url"] = self.web_address(part["file_url"], f"{place}.file_url")
        elif isinstance(part.get("file_data"), str):
            part["file_data"] = usual_address(part["file_data"])
            self.prompt.add_document(part["file_data"], part.get("filename"))
        else:
            raise invalid(f"{place}.file_data", "must be a string")

    _kinds: ClassVar[Mapping[str, ReadPart]] = {
        **dict.fromkeys(("input_text", "output_text"), PartReader.text),
        "refusal": PartReader.any_text,
        "input_image": _image,
        "input_file": _file,
    }
    _result_kinds: ClassVar[Mapping[str, ReadPart]] = {**_kinds, "input_image": _image_of_result}

    @staticmethod
    def _refuse_id(part: dict[str, Any], place: str) -> None:
        # Ids of stored files belong to the operator's account, which all share.
        if part.get("file_id") is not None:
            raise invalid(f"{place}.file_id", "is not served: send the content itself")


def _refusal(kind: str, place: str) -> InvalidRequestError:
    if kind != "item_reference":
        return unserved(kind, place)
    return InvalidRequestError(
        f"{place} refers back to a stored item, and nothing is stored here. Send the item itself: "
        "in the Vercel AI SDK, set providerOptions.openai.store to false.",
        param=f"{place}.type",
        code="unsupported_parameter",
    )
