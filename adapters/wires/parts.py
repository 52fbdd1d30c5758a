"""Content made of typed parts: text, images, files, calls of tools and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.wires.addresses import usual_address
from adapters.wires.fields import invalid, says_nothing, shown
from adapters.wires.prompt import Prompt
from creditcore.domain.errors import InvalidRequestError

_WEB_SCHEMES = ("https://", "http://")
_SAID = ("content", "tool_calls", "function_call")
_LONGEST_NOTE = 128
"""Ids and times are shorter."""

ReadPart = Callable[[Any, dict[str, Any], str], None]
"""Checks a part that stands at a place, and has a reader count it: a method, not yet bound."""


class PartReader:
    """Walks content once, checking and counting as it goes.

    Attributes:
        prompt: The size of everything read so far.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self.prompt = Prompt()

    def content(self, content: object, place: str, kinds: Mapping[str, ReadPart]) -> None:
        """Read a string, or a list of parts of these kinds.

        Raises:
            InvalidRequestError: It is something else; ``param`` names the place.
        """
        if isinstance(content, str):
            self.prompt.add_text(content)
            return
        if not isinstance(content, list):
            raise invalid(place, "must be a string or a list of parts")
        for at, part in enumerate(content):
            self.part(part, f"{place}[{at}]", kinds)

    def part(self, part: object, place: str, kinds: Mapping[str, ReadPart]) -> None:
        """Read one part, by its type."""
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str):
            raise invalid(place, "must be an object with a type")
        read = kinds.get(kind)
        if read is None:
            # Audio among them: it has a price of its own, which no price row here knows.
            raise unserved(kind, place)
        read(self, part, place)

    def text(self, part: dict[str, Any], place: str) -> None:
        """Read a part that is ``text``."""
        if not isinstance(part.get("text"), str):
            raise invalid(f"{place}.text", "must be a string")
        self.prompt.add_text(part)

    def any_text(self, part: dict[str, Any], _place: str) -> None:
        """Read a part whose text may stand anywhere in it."""
        self.prompt.add_text(part)

    def image_address(
        self, url: object, place: str, *, kind: str | None = None, detail: object = None
    ) -> str:
        """Read the address of an image: on the web, or holding the image itself.

        Args:
            url: The address.
            place: Where it stands.
            kind: The media type that is written beside it, where one is.
            detail: How closely the model should look at it, where that is written.

        Returns:
            The address as it goes upstream.
        """
        url = usual_address(url) if isinstance(url, str) else ""
        if not url.startswith((*_WEB_SCHEMES, "data:image/")):
            raise invalid(place, "must be a web address or a data URL of an image")
        head, separator, data = url.partition(";base64,")
        if separator and head.startswith("data:"):
            self.prompt.add_image(data, kind=kind, detail=detail)
        else:
            self.prompt.add_medium()
        return url

    def web_address(self, url: object, place: str) -> str:
        """Read the address of something on the web; return it as it goes upstream."""
        url = usual_address(url) if isinstance(url, str) else ""
        if not url.startswith(_WEB_SCHEMES):
            raise invalid(place, "must be a web address")
        self.prompt.add_medium()
        return url


def unserved(kind: str, place: str) -> InvalidRequestError:
    """Return the error of a part or an item that is refused on purpose."""
    return InvalidRequestError(
        f"Parts of type {shown(kind)!r} are not served here.",
        param=f"{place}.type",
        code="unsupported_parameter",
    )


def read_message(
    item: object,
    place: str,
    *,
    known: frozenset[str],
    dropped: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return a message without its nulls: SDKs echo an answer with all it could have had.

    Without what clients note beside it for themselves, too: what is dropped by its name, and every
    flag, number and single word beside something that is said. What may be meant for the model,
    and would be lost, is refused.

    Raises:
        InvalidRequestError: Not an object, or one with a field that is not known.
    """
    if not isinstance(item, dict):
        raise invalid(place, "must be an object")
    if known.issuperset(item) and None not in item.values():
        return item
    says = any(item.get(name) for name in _SAID)
    for name, value in item.items():
        if value is None or name in known or name in dropped or (says and _is_note(value)):
            continue
        raise InvalidRequestError(
            f"A message has no field {shown(name)!r} here.",
            param=f"{place}.{shown(name)}",
            code="unknown_parameter",
        )
    return {name: value for name, value in item.items() if value is not None and name in known}


def _is_note(value: object) -> bool:
    if isinstance(value, str):
        # Whole sentences have no spaces in some scripts, but have no letters of ASCII there.
        is_word = value.isascii() and value.isprintable() and " " not in value
        return is_word and len(value) <= _LONGEST_NOTE
    return isinstance(value, int | float) or says_nothing(value)
