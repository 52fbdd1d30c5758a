"""The wire of ``POST /v1/responses``."""

from __future__ import annotations

from typing import Any

from adapters.wires.fields import (
    BOOLEAN,
    INTEGER,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    TEXT_OR_OBJECT,
    FieldTable,
    Rule,
    strings,
)
from adapters.wires.openai.own_tools import read_own_tools
from adapters.wires.openai.responses_input import read_input
from adapters.wires.openai.responses_meter import (
    ResponseDocumentMeter,
    ResponseStreamMeter,
    error_event,
)
from adapters.wires.openai.shared_fields import NOTES, USUAL_TIERS
from adapters.wires.openai.wire import OpenAIWire
from adapters.wires.request import (
    given_fields,
    limited_body,
    may_cache_for_an_hour,
    read_flag,
    read_limit,
    read_model,
    read_stream_options,
)
from adapters.wires.text import TextCollector
from creditcore.ports.inference import Explain, InferenceRequest, Receipt
from creditcore.ports.prompt_counts import PromptText

_LIMIT = "max_output_tokens"
_REASONING = "reasoning.encrypted_content"
_INCLUDED = ("message.output_text.logprobs", _REASONING)
"""What else may be in an answer; others name what only tools of the provider leave there."""

_MAX_INCLUDED = 64


_FIELDS = FieldTable(
    own=frozenset({"model", "input", "instructions", "stream", "stream_options", _LIMIT}),
    passed={
        "include": strings(_MAX_INCLUDED),
        "parallel_tool_calls": BOOLEAN,
        "prompt_cache_key": TEXT,
        "prompt_cache_retention": TEXT,
        "reasoning": OBJECT,
        "temperature": NUMBER,
        "text": OBJECT,
        "tool_choice": TEXT_OR_OBJECT,
        "tools": LIST,
        "top_logprobs": INTEGER,
        "top_p": NUMBER,
        "truncation": Rule("auto or disabled", lambda value: value in ("auto", "disabled")),
    },
    # ``max_tool_calls`` limits tools of the provider, of which there are none.
    dropped=frozenset({*NOTES, "max_tool_calls", "prompt_cache_options"}),
    neutral={"service_tier": USUAL_TIERS},
    refused={
        "access_programs": "They belong to the operator's account.",
        "background": "Answers come on the connection that asked for them.",
        "background_options": "Answers come on the connection that asked for them.",
        "context_management": "Send the conversation as the model should see it.",
        "conversation": "Nothing is stored here: send the whole conversation as input.",
        "image": "Images that the provider makes cost by image.",
        "previous_response_id": "Nothing is stored here: send the whole conversation as input.",
        "prompt": "Nothing is stored here: send the prompt itself.",
    },
)


class Responses(OpenAIWire):
    """Understands responses requests, and limits and meters their answers."""

    endpoint = "/v1/responses"
    limit_field = _LIMIT

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        model = read_model(given)
        fields: dict[str, Any] = {"model": model}
        prompt = read_input(given.get("input"), given.get("instructions"))
        read_own_tools(given.get("tools"), prompt)
        fields |= _FIELDS.read(given)
        fields |= {name: given[name] for name in ("input", "instructions") if name in given}
        stream = read_flag(given, "stream")
        if options := read_stream_options(given, stream=stream, known=("include_obfuscation",)):
            fields["stream_options"] = options
        # At OpenAI, answers are kept in the account that asked: the operator's.
        fields["store"] = False
        # Nothing is stored, so a model's reasoning lives on only in what the client sends back:
        # without it, the second step of every tool loop fails on models that reason.
        asked = fields.get("include", ())
        fields["include"] = [name for name in _INCLUDED if name == _REASONING or name in asked]
        prompt.add_schemas(fields, "tools", "text")
        return InferenceRequest(
            model=model,
            stream=stream,
            wants_usage=True,
            prompt_bound=prompt.bound(fields),
            media_bound=prompt.media_bound,
            text_size=prompt.text_size,
            output_limit=read_limit(given, _LIMIT),
            choices=1,
            prompt_estimate=prompt.estimated_tokens,
            fields=fields,
            long_cache=may_cache_for_an_hour(body),
        )

    def text_of(self, request: InferenceRequest) -> PromptText | None:
        """Return the text of the input, and of the instructions before it."""
        text, given = TextCollector(), request.fields.get("input")
        text.add(request.fields.get("instructions"))
        if isinstance(given, str):
            text.add(given)
        else:
            text.add_messages(given)
        text.add_settings(request.fields)
        return text.found(of=request.text_size)

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:
        """Return what is sent upstream; equal requests give equal bytes."""
        return limited_body(request, _LIMIT, output_bound=output_bound)

    def meter(
        self, request: InferenceRequest, *, receipt: Receipt, explain: Explain
    ) -> ResponseStreamMeter | ResponseDocumentMeter:
        """Return a meter for the answer to this request."""
        if request.stream:
            return ResponseStreamMeter(receipt=receipt, explain=explain)
        return ResponseDocumentMeter(explain=explain)

    def error_event(self, message: str, *, kind: str, code: str) -> bytes:
        """Return an error as an event in the stream; nothing should follow it."""
        return error_event(message, kind=kind, code=code, number=0)
