"""A response as far as it has been delivered, for when it must end early."""

from __future__ import annotations

from typing import Any

_HEAD = "response.created"
_ITEM_ADDED = "response.output_item.added"
_ITEM_DONE = "response.output_item.done"
_TEXT = "response.output_text.delta"
_TEXT_DONE = "response.output_text.done"


class ResponseDraft:
    """Keeps what the client has seen: the response's head, its items, their text.

    Attributes:
        head: The response as it began.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.head: dict[str, Any] = {}
        self._items: dict[int, dict[str, Any]] = {}
        self._texts: dict[int, list[str]] = {}

    def note(self, event: dict[str, Any]) -> None:
        """Take an event that the client has."""
        kind, at = event.get("type"), event.get("output_index")
        if kind == _HEAD and isinstance(event.get("response"), dict):
            self.head = event["response"]
        elif not isinstance(at, int):
            return
        elif kind == _TEXT and isinstance(event.get("delta"), str):
            self._texts.setdefault(at, []).append(event["delta"])
        elif kind == _TEXT_DONE and at not in self._texts and isinstance(event.get("text"), str):
            self._texts[at] = [event["text"]]
        elif kind in (_ITEM_ADDED, _ITEM_DONE) and isinstance(event.get("item"), dict):
            self._items[at] = event["item"]
            if kind == _ITEM_DONE:
                self._texts.pop(at, None)

    def incomplete(self) -> dict[str, Any]:
        """Return the response as one that reached its output limit.

        Of items that were not finished, only text is worth keeping: half a call of a tool
        must not be run.
        """
        output = []
        for at, item in sorted(self._items.items()):
            if at in self._texts:
                text = {"type": "output_text", "text": "".join(self._texts[at]), "annotations": []}
                output.append({**item, "status": "incomplete", "content": [text]})
            elif item.get("status") == "completed":
                output.append(item)
        return {
            **self.head,
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": output,
        }
