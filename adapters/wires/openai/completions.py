"""The wire of ``POST /v1/completions``, OpenAI's first and longest lived."""

from __future__ import annotations

from typing import Any

from adapters.wires.body import encode_body
from adapters.wires.fields import INTEGER, TEXT, FieldTable, invalid
from adapters.wires.openai.completion_meter import CompletionDocumentMeter, CompletionStreamMeter
from adapters.wires.openai.prompt_list import PromptList, read_prompts
from adapters.wires.openai.shared_fields import NOTES, SAMPLING, USUAL_TIERS
from adapters.wires.openai.wire import OpenAIWire
from adapters.wires.prompt import SHORT_BYTES, Prompt
from adapters.wires.request import (
    given_fields,
    read_flag,
    read_integer,
    read_model,
    read_stream_options,
    tighter,
)
from adapters.wires.text import TextCollector
from adapters.wires.tokens import spared_in
from creditcore.domain.pricing import MAX_TOKENS
from creditcore.domain.pricing.text_bound import UNSEEN_TOKENS, TextSize
from creditcore.ports.inference import Explain, InferenceRequest, Receipt
from creditcore.ports.prompt_counts import PromptText

_DEFAULT_LIMIT = 16
"""OpenAI's own. It is held, so it is also sent: other servers have other defaults."""

_MAX_PROMPTS = 128
_MAX_CHOICES = 128

_FIELDS = FieldTable(
    own=frozenset(
        {"model", "prompt", "stream", "stream_options", "n", "best_of", "echo", "max_tokens"}
    ),
    passed={**SAMPLING, "logprobs": INTEGER, "suffix": TEXT},
    dropped=NOTES,
    neutral={"service_tier": USUAL_TIERS},
)


class Completions(OpenAIWire):
    """Understands requests to continue texts, and limits and meters their answers."""

    endpoint = "/v1/completions"

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        model = read_model(given)
        prompts = read_prompts(given.get("prompt"), "prompt", most=_MAX_PROMPTS)
        stream = read_flag(given, "stream")
        options = read_stream_options(
            given,
            stream=stream,
            known=("include_usage", "include_obfuscation", "continuous_usage_stats"),
        )
        echo = read_flag(given, "echo")
        if echo and stream:
            # What is echoed looks like output, which a stream pays for as it comes.
            raise invalid("echo", "is only allowed without stream")
        shown, written = _choices(given, stream=stream)
        least = 0 if echo else 1
        limit = read_integer(given, "max_tokens", most=MAX_TOKENS, least=least)

        fields: dict[str, Any] = {"model": model, "prompt": given["prompt"]}
        fields |= _FIELDS.read(given)
        if shown > 1:
            fields["n"] = shown
        if written > shown:
            fields["best_of"] = written
        if echo:
            fields["echo"] = True
        suffix = Prompt()
        suffix.add_text(fields.get("suffix"))
        return InferenceRequest(
            model=model,
            stream=stream,
            wants_usage=options.get("include_usage", False),
            prompt_bound=prompts.bound + prompts.count * (suffix.text_bytes + UNSEEN_TOKENS),
            text_size=_text_size(given["prompt"], prompts),
            output_limit=_DEFAULT_LIMIT if limit is None else limit,
            choices=written * prompts.count,
            prompt_estimate=prompts.estimated_tokens + prompts.count * suffix.estimated_tokens,
            prompts=prompts.count,
            fields=fields,
        )

    def text_of(self, request: InferenceRequest) -> PromptText | None:
        """Return the only prompt; of several, each may get something around it unseen."""
        if request.prompts > 1 or not isinstance(request.fields.get("prompt"), str):
            return None
        text = TextCollector()
        text.add_bare(request.fields["prompt"])
        return text.found(of=request.text_size)

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:
        """Return what is sent upstream; equal requests give equal bytes.

        Args:
            request: What ``parse`` returned.
            output_bound: The most one choice may write. The client's own limit stands
                where it is lower, or where there is no bound.
        """
        fields = {**request.fields, "max_tokens": tighter(request.output_limit, output_bound)}
        if request.stream:
            fields["stream_options"] = {"include_usage": True}
        return encode_body(fields, stream=request.stream)

    def meter(
        self, request: InferenceRequest, *, receipt: Receipt, explain: Explain
    ) -> CompletionStreamMeter | CompletionDocumentMeter:
        """Return a meter for the answer to this request."""
        if request.stream:
            return CompletionStreamMeter(
                wants_usage=request.wants_usage,
                choices=request.choices,
                receipt=receipt,
                explain=explain,
            )
        return CompletionDocumentMeter(explain=explain)


def _text_size(given: str | list[Any], prompts: PromptList) -> TextSize:
    """Return what is known of prompts: LiteLLM may turn each of them into a chat, by a template."""
    texts = [given] if isinstance(given, str) else given
    is_short = prompts.text_bytes < SHORT_BYTES
    spared = 0 if is_short else spared_in("\n".join(texts))
    return TextSize(spared, UNSEEN_TOKENS if prompts.count == 1 else 0)


def _choices(given: dict[str, Any], *, stream: bool) -> tuple[int, int]:
    """Return how many answers to each prompt are shown, and how many are written for that."""
    shown = read_integer(given, "n", most=_MAX_CHOICES) or 1
    written = read_integer(given, "best_of", most=_MAX_CHOICES)
    if written is None:
        return shown, shown
    if written < shown:
        raise invalid("best_of", "must not be less than n")
    if stream and written > shown:
        raise invalid("best_of", "is only allowed without stream")
    return shown, written
