"""The wire of ``POST /v1/embeddings``."""

from __future__ import annotations

from typing import Any

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.fields import BOOLEAN, INTEGER, LIST, FieldTable, Rule
from adapters.wires.openai.document_wire import DocumentWire
from adapters.wires.openai.prompt_list import read_prompts
from adapters.wires.openai.shared_fields import NOTES
from adapters.wires.request import given_fields, read_model
from adapters.wires.text import TextCollector
from adapters.wires.usage_names import EMBEDDINGS
from creditcore.ports.inference import Explain, InferenceRequest
from creditcore.ports.prompt_counts import PromptText

_MAX_INPUTS = 2_048
"""As many as OpenAI takes."""

_MOST_DIMENSIONS = 65_536
_LONGEST_WORD = 64
_WORD = Rule(
    f"a string of at most {_LONGEST_WORD} characters",
    lambda value: isinstance(value, str) and len(value) <= _LONGEST_WORD,
)
_DIMENSIONS = Rule(
    f"an integer between 1 and {_MOST_DIMENSIONS:,}",
    lambda value: type(value) is int and 1 <= value <= _MOST_DIMENSIONS,
)

_FIELDS = FieldTable(
    own=frozenset({"model", "input"}),
    passed={
        "add_special_tokens": BOOLEAN,
        "dimensions": _DIMENSIONS,
        "embedding_types": LIST,
        "encoding_format": Rule("float or base64", lambda value: value in ("float", "base64")),
        # Of Cohere, Jina, Voyage and others: none of them makes a text longer, beyond what is
        # added unseen anyway.
        "input_type": _WORD,
        "late_chunking": BOOLEAN,
        "normalize": BOOLEAN,
        "normalized": BOOLEAN,
        "output_dimension": _DIMENSIONS,
        "output_dtype": _WORD,
        "task": _WORD,
        "task_type": _WORD,
        "truncate": _WORD,
        "truncate_prompt_tokens": INTEGER,
        "truncation": BOOLEAN,
    },
    dropped=NOTES,
    neutral={"stream": (False,)},
)


class Embeddings(DocumentWire):
    """Understands embedding requests, and meters their answers, which are never text."""

    endpoint = "/v1/embeddings"
    modes = frozenset({"embedding"})

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        model = read_model(given)
        prompts = read_prompts(given.get("input"), "input", most=_MAX_INPUTS)
        fields: dict[str, Any] = {"model": model, "input": given["input"]}
        fields |= _FIELDS.read(given)
        return InferenceRequest(
            model=model,
            stream=False,
            wants_usage=False,
            prompt_bound=prompts.bound,
            output_limit=0,
            choices=1,
            prompt_estimate=prompts.estimated_tokens,
            prompts=prompts.count,
            fields=fields,
        )

    def text_of(self, request: InferenceRequest) -> PromptText | None:
        """Return the texts; what came as tokens is counted already."""
        given = request.fields.get("input")
        text = TextCollector(unseen=0)
        for each in given if isinstance(given, list) else [given]:
            text.add_bare(each)
        return text.found(of=request.text_size)

    def _meter_of(self, _request: InferenceRequest, explain: Explain) -> EmbeddingsMeter:
        return EmbeddingsMeter(explain=explain)


class EmbeddingsMeter(DocumentMeter):
    """Reads a list of embeddings."""

    shape = EMBEDDINGS
    id_prefix = "embd-"

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        return [] if isinstance(document.get("data"), list) else None
