"""The wire of ``POST /v1/chat/completions``."""

from __future__ import annotations

from typing import Any

from adapters.wires.body import encode_body
from adapters.wires.fields import invalid
from adapters.wires.openai.chat_fields import CHAT_FIELDS
from adapters.wires.openai.chat_messages import read_messages
from adapters.wires.openai.chat_meter import ChatDocumentMeter, ChatStreamMeter
from adapters.wires.openai.wire import OpenAIWire
from adapters.wires.request import (
    fitted_thinking,
    given_fields,
    may_cache_for_an_hour,
    read_flag,
    read_integer,
    read_limit,
    read_model,
    read_stream_options,
    tighter,
)
from adapters.wires.text import TextCollector
from adapters.wires.tools import FUNCTION_TOOLS, check_tools
from creditcore.ports.inference import Explain, InferenceRequest, Receipt
from creditcore.ports.outgoing import LONG_BYTES
from creditcore.ports.prompt_counts import PromptText

_OLD_LIMIT = "max_tokens"
_NEW_LIMIT = "max_completion_tokens"
_MAX_CHOICES = 128
_STREAM_OPTIONS = frozenset({"include_usage", "include_obfuscation", "continuous_usage_stats"})


class ChatCompletions(OpenAIWire):
    """Understands chat requests, and limits and meters their answers."""

    endpoint = "/v1/chat/completions"

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        model = read_model(given)
        messages, prompt = read_messages(given.get("messages"))
        stream = read_flag(given, "stream")
        options = read_stream_options(given, stream=stream, known=_STREAM_OPTIONS)
        choices = read_integer(given, "n", most=_MAX_CHOICES) or 1
        limit_field, output_limit = _limit(given)

        fields: dict[str, Any] = {"model": model, "messages": messages}
        if "tools" in given:
            check_tools(given["tools"], FUNCTION_TOOLS)
        fields |= CHAT_FIELDS.read(given)
        if choices > 1:
            fields["n"] = choices
        if output_limit is not None:
            fields[limit_field] = output_limit
        if "tools" in fields or "functions" in fields:
            prompt.add_schemas(fields, "tools", "functions")
        written = None if prompt.media else encode_body(fields, stream=False)
        return InferenceRequest(
            model=model,
            stream=stream,
            wants_usage=options.get("include_usage", False),
            prompt_bound=prompt.bound(fields, written),
            media_bound=prompt.media_bound,
            text_size=prompt.text_size,
            output_limit=output_limit,
            choices=choices,
            prompt_estimate=prompt.estimated_tokens,
            fields=fields,
            long_cache=may_cache_for_an_hour(body),
            body=None if stream or written is None or len(written) > LONG_BYTES else written,
        )

    def text_of(self, request: InferenceRequest) -> PromptText | None:
        """Return the text of the messages."""
        text = TextCollector()
        text.add_messages(request.fields.get("messages"))
        text.add_settings(request.fields)
        return text.found(of=request.text_size)

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:
        """Return what is sent upstream; equal requests give equal bytes.

        The limit goes into the field that the client used. Where it used none,
        ``max_tokens`` is the field: LiteLLM renames it for the models that refuse it, and
        a server that has never heard of ``max_completion_tokens`` would ignore our limit
        without a word, which would cost more than the hold.

        Args:
            request: What ``parse`` returned.
            output_bound: The most one choice may write. The client's own limit stands
                where it is lower, or where there is no bound.
        """
        limit = tighter(request.output_limit, output_bound)
        if request.body is not None and limit == request.output_limit:
            return request.body
        fields = dict(request.fields)
        if limit is not None:
            fields[_NEW_LIMIT if _NEW_LIMIT in fields else _OLD_LIMIT] = limit
        if limit != request.output_limit and "thinking" in fields:
            fields |= fitted_thinking({**fields, _OLD_LIMIT: limit})
        if request.stream:
            # Asked for in every stream: without usage there is nothing exact to charge.
            fields["stream_options"] = {"include_usage": True}
        return encode_body(fields, stream=request.stream)

    def meter(
        self, request: InferenceRequest, *, receipt: Receipt, explain: Explain
    ) -> ChatStreamMeter | ChatDocumentMeter:
        """Return a meter for the answer to this request."""
        if request.stream:
            return ChatStreamMeter(
                wants_usage=request.wants_usage,
                choices=request.choices,
                receipt=receipt,
                explain=explain,
            )
        return ChatDocumentMeter(explain=explain)


def _limit(given: dict[str, Any]) -> tuple[str, int | None]:
    """Return the field that limits the output of one choice, and its value."""
    old = read_limit(given, _OLD_LIMIT)
    if _NEW_LIMIT not in given:
        return _OLD_LIMIT, old
    new = read_limit(given, _NEW_LIMIT)
    if old is not None and new is not None and old != new:
        raise invalid(_OLD_LIMIT, f"and {_NEW_LIMIT} must not differ")
    return (_OLD_LIMIT, old) if new is None else (_NEW_LIMIT, new)
