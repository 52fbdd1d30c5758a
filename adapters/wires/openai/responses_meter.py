"""Meters for responses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.openai.responses_draft import ResponseDraft
from adapters.wires.openai.unstreamed import response_events
from adapters.wires.public import clean, public_event, public_usage, read_object
from adapters.wires.sse import KEEP_ALIVE, SseEvent
from adapters.wires.stream_meter import DONE
from adapters.wires.tally import text_length
from adapters.wires.told_twice import ToldTwice
from adapters.wires.typed_meter import TypedStreamMeter
from adapters.wires.usage_names import RESPONSES
from creditcore.domain.errors import UpstreamError
from creditcore.ports.inference import Explain, Receipt

_ID_PREFIX = "resp_"
_FAILED = "response.failed"
_LAST = frozenset(
    {
        "response.cancelled",
        "response.completed",
        "response.done",
        "response.incomplete",
        _FAILED,
    }
)
_SERVER_ERROR = "server_error"
_CALLED_WITH = ("action", "actions", "arguments", "operation")
"""What a tool of OpenAI's own is called with: commands, a patch, what to search for."""

_WHOLE = "response"
"""Where all of an answer is counted."""


def error_event(
    message: str,
    *,
    kind: str,
    code: str | None,
    number: int,
    response: dict[str, Any] | None = None,
) -> bytes:
    """Return an error as the two events that end a response.

    It says everything twice: beside ``type``, as OpenAI documents the event, and in
    ``error``, where OpenAI's SDKs look before they raise. Behind it the response has failed:
    Codex CLI knows that event alone (codex-rs/codex-api/src/sse/responses.rs), and would ask
    again for what was refused for good.

    Args:
        message: What went wrong.
        kind: OpenAI's type of error.
        code: OpenAI's code for it.
        number: Which event of the stream this is.
        response: The response as far as it is known.
    """
    facts = {"code": code or kind, "message": message, "param": None}
    error = {"type": kind, **facts}
    event = {"type": "error", "sequence_number": number, **facts, "error": error}
    failed = {
        "type": _FAILED,
        "sequence_number": number + 1,
        "response": {
            "object": "response",
            "output": [],
            **(response or {}),
            "status": "failed",
            "error": {"code": code or kind, "message": message},
        },
    }
    return public_event(event, name="error") + public_event(failed, name=_FAILED)


class ResponseStreamMeter(TypedStreamMeter):
    """Reads the events of a response; their data leaves as it came.

    Each gets the name that LiteLLM leaves out, and ``[DONE]``, which OpenAI does not send,
    is taken out. Changed are only: the usage at the end, beside which stands what the call
    cost, what it cost the operator, and errors in LiteLLM's words.
    """

    def __init__(self, *, receipt: Receipt, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            receipt: Says what usage cost.
            explain: Reads errors of the upstream.
        """
        super().__init__(RESPONSES, receipt=receipt, explain=explain)
        self._draft = ResponseDraft()
        self._come = ToldTwice()
        self._number = 0

    def cut_short(self, message: str) -> bytes:
        """Return an end by the output limit, which says why."""
        name = "response.incomplete"
        end = {
            "type": name,
            "sequence_number": self._number,
            "response": self._draft.incomplete(),
            "notice": {
                "type": "insufficient_quota",
                "code": "credits_exhausted",
                "message": message,
            },
        }
        return public_event(end, name=name)

    def _read(self, event: SseEvent) -> bytes:
        self._latest = {}
        if event.data is None:
            return KEEP_ALIVE
        if event.data.strip() == DONE:
            return b""
        document = read_object(event.data)
        kind = document.get("type")
        if (error := self._error_in(event, document)) is not None:
            return self._fail_by(error, document)
        if not isinstance(kind, str) or not kind.isprintable():
            return self._read_stranger(document)
        if self.complete:
            # Of what comes behind the end, only counts that it lacked are of the answer.
            self._report_late(_usage_in(document))
            return b""
        self._latest = document
        if isinstance(number := document.get("sequence_number"), int):
            self._number = number
        self._tally.deliver(self._new_length(kind, document))
        # Behind an error event stands an end of ours already.
        has_end = self._error is not None and kind in _LAST
        response = document.get("response")
        if isinstance(response, dict) and self._read_response(response, kind, document):
            passed = public_event(document, name=kind)
        else:
            passed = self._named(event, kind, document)
        return b"" if has_end else passed

    def _left(self) -> None:
        self._draft.note(self._latest)
        if self._latest:
            self._number += 1

    def _events_of(self, document: dict[str, Any]) -> Iterable[dict[str, Any]]:
        return response_events(document) if "output" in document else [document]

    def _new_length(self, kind: str, document: dict[str, Any]) -> int:
        """Return the UTF-8 bytes of output in an event that had not come before."""
        is_piece = kind.endswith(".delta")
        if not is_piece and not kind.endswith(".done"):
            return 0
        whole, told = document.get("item"), document.get("part")
        item = str(document.get("output_index"))
        if isinstance(whole, dict):
            return self._come.rest(_item_length(whole), item, _WHOLE)
        part = f"{item} {document.get('content_index')} {document.get('summary_index')}"
        if is_piece:
            return self._come.add(text_length(document.get("delta")), part, item, _WHOLE)
        length = _part_length(told if isinstance(told, dict) else document)
        return self._come.rest(length, part, item, _WHOLE)

    def _read_response(self, response: dict[str, Any], kind: str, document: dict[str, Any]) -> bool:
        """Read the response in an event; whether something in it had to be changed."""
        usage = _usage_in(document)
        changed = clean(response, id_prefix=_ID_PREFIX)
        if response.get("error"):
            failure = self._explain(response["error"])
            self._error = str(failure)
            response["error"] = {"code": failure.code or _SERVER_ERROR, "message": self._error}
            changed = True
        if kind not in _LAST:
            # It has begun: what was written until now is counted at the end.
            self._tally.begin(usage)
            return changed
        self._ended = True
        self._tally.deliver(self._come.rest(sum(_lengths(response.get("output"))), _WHOLE))
        if usage is None:
            return changed
        self._tally.report(usage)
        counted = self._tally.usage
        shown = public_usage(usage) if isinstance(usage, dict) else {}
        response["usage"] = None if counted is None else {**shown, **self._told()}
        return True

    def _error_event(self, failure: UpstreamError) -> bytes:
        return error_event(
            str(failure),
            kind=_SERVER_ERROR,
            code=failure.code,
            number=self._number,
            response=self._draft.head,
        )


class ResponseDocumentMeter(DocumentMeter):
    """Reads a response that comes in one piece."""

    shape = RESPONSES
    id_prefix = _ID_PREFIX

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        output = document.get("output")
        return _lengths(output) if isinstance(output, list) else None


def _usage_in(document: dict[str, Any]) -> object:
    """Return the usage of the response in an event; some write it beside the response."""
    response = document.get("response")
    usage = response.get("usage") if isinstance(response, dict) else None
    return usage or document.get("usage")


def _lengths(output: object) -> list[int]:
    items = output if isinstance(output, list) else []
    return [_item_length(item) for item in items if isinstance(item, dict)]


def _item_length(item: dict[str, Any]) -> int:
    """Return the UTF-8 bytes of what a model wrote: text, refusal, reasoning, tool calls."""
    length = text_length(item.get("name"), item.get("arguments"), item.get("input"))
    for name in _CALLED_WITH:
        if isinstance(called := item.get(name), dict | list):
            length += len(orjson.dumps(called))
    for name in ("content", "summary"):
        parts = item.get(name)
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict):
                length += _part_length(part)
    return length


def _part_length(part: dict[str, Any]) -> int:
    """Return the UTF-8 bytes of a text, a refusal, or what a tool is called with."""
    names = ("text", "refusal", "arguments", "input")
    return text_length(*(part.get(name) for name in names))
