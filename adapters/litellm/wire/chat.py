"""The wire of ``POST /v1/chat/completions``."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from adapters.litellm.wire.body import decode_body, encode_body
from adapters.litellm.wire.chat_fields import read_fields
from adapters.litellm.wire.chat_messages import Prompt, read_messages
from adapters.litellm.wire.chat_meter import ChatDocumentMeter, ChatStreamMeter, error_event
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import MAX_TOKENS
from creditcore.ports.inference import InferenceRequest, Receipt

_OLD_LIMIT = "max_tokens"
_NEW_LIMIT = "max_completion_tokens"
_MAX_CHOICES = 128
_LONGEST_MODEL = 200
_OWN_FIELDS = frozenset(
    {"model", "messages", "stream", "stream_options", "n", _OLD_LIMIT, _NEW_LIMIT}
)

_UNSEEN_TOKENS = 256
"""What templates add unseen: the preamble of a model, today's date, its channels."""

_UNSEEN_TOOL_TOKENS = 768
"""What providers add when there are tools: Anthropic writes up to 600 tokens about using them."""


class ChatCompletions:
    """Understands chat requests, and limits and meters their answers."""

    endpoint = "/v1/chat/completions"

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = {name: value for name, value in decode_body(body).items() if value is not None}
        model = _model(given)
        prompt = read_messages(given.get("messages"))
        stream, wants_usage = _streaming(given)
        choices = _integer(given, "n", most=_MAX_CHOICES) or 1
        limit_field, output_limit = _limit(given)

        fields: dict[str, Any] = {"model": model, "messages": prompt.messages}
        fields |= read_fields({k: v for k, v in given.items() if k not in _OWN_FIELDS})
        if choices > 1:
            fields["n"] = choices
        if output_limit is not None:
            fields[limit_field] = output_limit
        size = len(encode_body(fields, stream=stream))
        return InferenceRequest(
            model=model,
            stream=stream,
            wants_usage=wants_usage,
            prompt_bound=_prompt_bound(fields, prompt, size),
            output_limit=output_limit,
            choices=choices,
            prompt_estimate=prompt.estimated_tokens + _tool_tokens(fields),
            fields=MappingProxyType(fields),
        )

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
        fields = dict(request.fields)
        limits = [limit for limit in (request.output_limit, output_bound) if limit is not None]
        if limits:
            fields[_NEW_LIMIT if _NEW_LIMIT in fields else _OLD_LIMIT] = min(limits)
        if request.stream:
            # Asked for in every stream: without usage there is nothing exact to charge.
            fields["stream_options"] = {"include_usage": True}
        return encode_body(fields, stream=request.stream)

    def meter(
        self, request: InferenceRequest, *, receipt: Receipt
    ) -> ChatStreamMeter | ChatDocumentMeter:
        """Return a meter for the answer to this request."""
        if request.stream:
            return ChatStreamMeter(
                wants_usage=request.wants_usage, choices=request.choices, receipt=receipt
            )
        return ChatDocumentMeter()

    def error_event(self, message: str, *, kind: str, code: str) -> bytes:
        """Return an error as an event in the stream; nothing should follow it."""
        return error_event(message, kind=kind, code=code)


def _prompt_bound(fields: dict[str, Any], prompt: Prompt, size: int) -> int | None:
    """Return tokens that the prompt can never exceed, or None if its bytes bound nothing.

    A token of a byte-level vocabulary stands for at least one byte of text, and all text
    is in the body: messages, tools, schemas. What the model's template wraps around a
    message (a role and two or three markers) is less than what JSON wraps around it: the
    shortest message, ``{"role":"user","content":""}``, has 28 bytes of that. Only what is
    added once for the call, unseen, needs room beside it.
    """
    if prompt.media:
        return None
    unseen = _UNSEEN_TOKENS
    if "tools" in fields or "functions" in fields:
        unseen += _UNSEEN_TOOL_TOKENS
    return size + unseen


def _tool_tokens(fields: dict[str, Any]) -> int:
    """Return about how many tokens the tools are: four bytes of JSON each."""
    described: dict[str, Any] = {
        name: fields[name] for name in ("tools", "functions") if name in fields
    }
    return -(-len(encode_body(described, stream=False)) // 4) if described else 0


def _model(given: dict[str, Any]) -> str:
    model = given.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= _LONGEST_MODEL:
        raise _invalid("model", f"must be a string of 1 to {_LONGEST_MODEL} characters")
    if not model.isprintable():
        raise _invalid("model", "must not contain control characters")
    return model


def _streaming(given: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether to stream, and whether the client wants usage in the stream."""
    stream = given.get("stream", False)
    if not isinstance(stream, bool):
        raise _invalid("stream", "must be true or false")
    options = given.get("stream_options")
    if options is None:
        return stream, False
    if not stream:
        raise _invalid("stream_options", "is only allowed with stream")
    if not isinstance(options, dict):
        raise _invalid("stream_options", "must be an object")
    for name, value in options.items():
        place = f"stream_options.{name[:64]}"
        if name not in {"include_usage", "include_obfuscation"}:
            raise InvalidRequestError(
                f"Unknown parameter: {place!r}.", param=place, code="unknown_parameter"
            )
        if not isinstance(value, bool):
            raise _invalid(place, "must be true or false")
    return stream, options.get("include_usage", False)


def _limit(given: dict[str, Any]) -> tuple[str, int | None]:
    """Return the field that limits the output of one choice, and its value."""
    old = _integer(given, _OLD_LIMIT, most=MAX_TOKENS)
    new = _integer(given, _NEW_LIMIT, most=MAX_TOKENS)
    if old is not None and new is not None and old != new:
        raise _invalid(_OLD_LIMIT, f"and {_NEW_LIMIT} must not differ")
    return (_OLD_LIMIT, old) if new is None else (_NEW_LIMIT, new)


def _integer(given: dict[str, Any], name: str, *, most: int) -> int | None:
    value = given.get(name)
    # isinstance() would let True through. Beyond 64 bits the parser gives a float.
    if value is not None and (type(value) is not int or not 1 <= value <= most):
        raise _invalid(name, f"must be an integer between 1 and {most}")
    return value


def _invalid(name: str, rule: str) -> InvalidRequestError:
    return InvalidRequestError(f"{name} {rule}.", param=name, code="invalid_value")
