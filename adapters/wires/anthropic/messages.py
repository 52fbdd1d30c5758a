"""The wire of ``POST /v1/messages``, Anthropic's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from adapters.wires.anthropic.context_edits import check_context_edits
from adapters.wires.anthropic.limit_headers import limit_headers
from adapters.wires.anthropic.messages_content import read_content
from adapters.wires.anthropic.messages_errors import error_document, error_event, kind_of
from adapters.wires.anthropic.messages_meter import MessagesDocumentMeter, MessagesStreamMeter
from adapters.wires.anthropic.model_list import model_document, model_list
from adapters.wires.anthropic.own_tools import count_references, read_own_tools
from adapters.wires.fields import (
    INTEGER,
    LIST,
    NUMBER,
    OBJECT,
    FieldTable,
    invalid,
    strings,
)
from adapters.wires.prompt import Prompt
from adapters.wires.request import (
    JSON,
    TEXT_MODES,
    given_fields,
    limited_body,
    may_cache_for_an_hour,
    read_flag,
    read_integer,
    read_model,
)
from adapters.wires.text import TextCollector
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import MAX_TOKENS
from creditcore.domain.rates import Standing
from creditcore.ports.inference import (
    ErrorFacts,
    Explain,
    InferenceRequest,
    LongBody,
    OfferedModel,
    Receipt,
)
from creditcore.ports.prompt_counts import PromptText

_LIMIT = "max_tokens"
_THREAD = "thread"
_MAX_STOPS = 64


_FIELDS = FieldTable(
    own=frozenset({"model", "messages", "system", "stream", _LIMIT}),
    passed={
        "cache_control": OBJECT,
        "output_config": OBJECT,
        "output_format": OBJECT,
        "stop_sequences": strings(_MAX_STOPS),
        "temperature": NUMBER,
        "thinking": OBJECT,
        "tool_choice": OBJECT,
        "context_management": OBJECT,
        "tools": LIST,
        "top_k": INTEGER,
        "top_p": NUMBER,
    },
    # LiteLLM would book the call under ``metadata``, on the operator's side. Diagnostics explain
    # a miss of the cache by an earlier message of the operator's account.
    dropped=frozenset({"diagnostics", "metadata"}),
    neutral={
        "inference_geo": ("global",),
        "service_tier": ("auto", "standard_only"),
        "speed": ("standard",),
    },
)

_VERSION = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
# Those that change how an answer is written, never what a token costs or how many the
# bound must cover. A longer context, faster answers and tools of the provider do.
_BETA = re.compile(
    r"(?:advanced-tool-use|claude-code|computer-use|context-management|effort|extended-cache-ttl"
    r"|fine-grained-tool-streaming|inline-tools|interleaved-thinking|mid-conversation-output-config"
    r"|mid-conversation-system|mid-conversation-system-clear-at|mid-conversation-tool-changes"
    r"|model-context-window-exceeded|output-128k|pdfs|prompt-caching|prompt-caching-scope"
    r"|redact-thinking|structured-outputs|task-budgets"
    r"|thinking-binding-controls|thinking-display-updates|thinking-token-count"
    r"|token-efficient-tools|tool-examples|tool-search-tool)"
    r"-(?:20[0-9]{2}-[0-9]{2}-[0-9]{2}|20[0-9]{6})"
)
_LONGEST_BETAS = 1_024


@dataclass(frozen=True, slots=True)
class Messages:
    """Understands messages requests, and limits and meters their answers.

    Attributes:
        version: The version of the protocol, where the client names one.
        betas: What the client wants beside it, as far as it is served here.
    """

    version: str | None = None
    betas: tuple[str, ...] = ()

    endpoint = "/v1/messages"
    modes = TEXT_MODES
    limit_field = _LIMIT
    key_header = "x-api-key"
    id_headers = ("x-request-id", "request-id")
    version_header = "anthropic-version"

    @property
    def upstream_headers(self) -> Mapping[str, str]:
        """The two headers of the protocol."""
        headers = {}
        if self.version is not None:
            headers["anthropic-version"] = self.version
        if self.betas:
            headers["anthropic-beta"] = ",".join(self.betas)
        return headers

    def hearing(self, header: Callable[[str], str | None]) -> Self:
        """Return the wire in the version that the client wants.

        Betas that are not known to be harmless are left out: what they would have allowed
        in the body is refused there, by name.

        Raises:
            InvalidRequestError: ``anthropic-version`` is no version.
        """
        version = header("anthropic-version")
        if version is not None and not _VERSION.fullmatch(version):
            raise invalid("anthropic-version", "must be a date, such as 2023-06-01")
        wanted = (header("anthropic-beta") or "")[:_LONGEST_BETAS].split(",")
        betas = [beta for beta in map(str.strip, wanted) if _BETA.fullmatch(beta)]
        return type(self)(version, tuple(dict.fromkeys(betas)))

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        fields, prompt = self.check(given)
        return InferenceRequest(
            model=fields["model"],
            stream=read_flag(given, "stream"),
            wants_usage=True,
            prompt_bound=prompt.bound(fields),
            media_bound=prompt.media_bound,
            text_size=prompt.text_size,
            output_limit=fields[_LIMIT],
            choices=1,
            prompt_estimate=prompt.estimated_tokens,
            fields=fields,
            long_cache=may_cache_for_an_hour(body),
        )

    def check(self, given: dict[str, Any]) -> tuple[dict[str, Any], Prompt]:
        """Return the fields of a request as they go upstream, and the size of its prompt.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        model = read_model(given)
        content = read_content(given.get("messages"), given.get("system"))
        prompt, tools = content.prompt, given.get("tools")
        # Not 0, with which Anthropic only fills its cache: LiteLLM takes it for none with others,
        # and their answers have no limit then. 1 does the same.
        limit = read_integer(given, _LIMIT, most=MAX_TOKENS)
        if limit is None:
            raise InvalidRequestError(
                f"{_LIMIT} is required.", param=_LIMIT, code="missing_required_parameter"
            )
        fields: dict[str, Any] = {"model": model, "messages": content.messages, _LIMIT: limit}
        if "system" in given:
            fields["system"] = given["system"]
        _refuse_threads(given)
        read_own_tools(tools, prompt)
        count_references(content.tool_names, [*(tools or ()), *content.tools], prompt)
        check_context_edits(given.get("context_management"))
        fields |= _FIELDS.read(given)
        prompt.add_schemas(fields, "tools")
        return fields, prompt

    def text_of(self, request: InferenceRequest) -> PromptText | None:
        """Return the text of the messages, and of the system before them."""
        text = TextCollector()
        text.add(request.fields.get("system"))
        text.add_messages(request.fields.get("messages"))
        text.add_settings(request.fields)
        return text.found(of=request.text_size)

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:
        """Return what is sent upstream; equal requests give equal bytes."""
        return limited_body(request, _LIMIT, output_bound=output_bound)

    def rest(self) -> LongBody | None:
        """Return nothing: the body is all that is sent."""
        return None

    def media_type(self, _request: InferenceRequest) -> str:
        """Return the media type of a whole answer."""
        return JSON

    def meter(
        self, request: InferenceRequest, *, receipt: Receipt, explain: Explain
    ) -> MessagesStreamMeter | MessagesDocumentMeter:
        """Return a meter for the answer to this request."""
        if request.stream:
            return MessagesStreamMeter(receipt=receipt, explain=explain)
        return MessagesDocumentMeter(explain=explain)

    def error_event(self, message: str, *, kind: str, code: str) -> bytes:  # noqa: ARG002 - the code says more
        """Return an error as an event in the stream; nothing should follow it."""
        return error_event(message, kind=kind_of(code))

    def limit_headers(self, standings: Sequence[Standing]) -> list[tuple[str, str]]:
        """Return headers that say what is left of a key's limits."""
        return limit_headers(standings)

    def model_document(self, model: OfferedModel) -> bytes:
        """Return one model as Anthropic's SDKs read it."""
        return model_document(model)

    def model_list(self, models: Sequence[OfferedModel], *, query: str) -> bytes:
        """Return a page of models.

        Raises:
            InvalidRequestError: The query cannot be served.
        """
        return model_list(models, query=query)

    def error_document(self, error: ErrorFacts, *, call_id: str) -> bytes:
        """Return the body of a refused request."""
        return error_document(error, call_id=call_id)


def _refuse_threads(given: Mapping[str, Any]) -> None:
    """Refuse stored conversations so that Anthropic's SDKs send the whole one instead.

    Their tool runners look for these details (anthropic-python 2.14, @anthropic-ai/sdk 1.14).
    """
    if given.get(_THREAD) is not None:
        raise InvalidRequestError(
            "'thread' is not supported here: nothing is stored, so send the whole conversation "
            "as messages.",
            param=_THREAD,
            code="unsupported_parameter",
            details={"error_code": "thread_unsupported_request", "unsupported": [_THREAD]},
        )
