"""The wire of ``POST /v1/rerank``: Cohere's protocol, which LiteLLM speaks for every reranker."""

from __future__ import annotations

from typing import Any

from adapters.wires.document_meter import DocumentMeter
from adapters.wires.fields import BOOLEAN, TEXT, FieldTable, invalid, strings
from adapters.wires.openai.document_wire import DocumentWire
from adapters.wires.openai.prompt_list import text_prompt
from adapters.wires.openai.shared_fields import NOTES
from adapters.wires.prompt import Prompt
from adapters.wires.request import given_fields, read_integer, read_model
from adapters.wires.usage import count_at
from adapters.wires.usage_names import EMBEDDINGS
from creditcore.domain.pricing import Usage
from creditcore.domain.units import Extent, Unit
from creditcore.ports.inference import Explain, InferenceRequest

_LONGEST_QUERY = 32_000
_MOST_DOCUMENTS = 1_000
_DOCUMENTS_PER_SEARCH = 100
_TOKENS_PER_CHUNK = 500
"""A document that is longer together with its query is cut, and each part counts as one (Cohere,
"How does pricing work")."""

_LEAST_OF_DOCUMENT = 250
"""What of a part is left for the document, however long its query is."""

_MOST_NUMBER = 1_000_000
_UNSEEN_TOKENS = 16
_BYTES_PER_TOKEN = 4

_FIELDS = FieldTable(
    own=frozenset(
        {"model", "query", "documents", "top_n", "max_chunks_per_doc", "max_tokens_per_doc"}
    ),
    passed={
        "instruction": TEXT,
        "rank_fields": strings(100),
        "return_documents": BOOLEAN,
    },
    dropped=NOTES,
    neutral={"stream": (False,)},
)
_NUMBERS = ("top_n", "max_chunks_per_doc", "max_tokens_per_doc")


class Rerank(DocumentWire):
    """Understands requests to rank documents, sold by searches or by tokens."""

    endpoint = "/v1/rerank"
    modes = frozenset({"rerank"})
    limit_field = "documents"

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """
        given = given_fields(body)
        model = read_model(given)
        query = text_prompt(given.get("query"), "query", most=_LONGEST_QUERY)
        lengths = _lengths_of(given.get("documents"))
        fields: dict[str, Any] = {
            "model": model,
            "query": given["query"],
            "documents": given["documents"],
        }
        for name in _NUMBERS:
            if (number := read_integer(given, name, most=_MOST_NUMBER)) is not None:
                fields[name] = number
        fields |= _FIELDS.read(given)
        beside = query.text_bytes + len(fields.get("instruction", "").encode())
        # Each document is read beside the query.
        bytes_read = sum(lengths) + beside * len(lengths)
        of_document = max(_TOKENS_PER_CHUNK - beside, _LEAST_OF_DOCUMENT)
        chunks = sum(-(-length // of_document) or 1 for length in lengths)
        return InferenceRequest(
            model=model,
            stream=False,
            wants_usage=False,
            prompt_bound=bytes_read + _UNSEEN_TOKENS * len(lengths),
            output_limit=0,
            choices=1,
            prompt_estimate=-(-bytes_read // _BYTES_PER_TOKEN),
            # The context of a reranker bounds each pair of query and document.
            prompts=len(lengths),
            fields=fields,
            units={Unit.SEARCH: Extent(_searches(chunks), _searches(len(lengths)))},
        )

    def _meter_of(self, request: InferenceRequest, explain: Explain) -> RerankMeter:
        return RerankMeter(request, explain=explain)


class RerankMeter(DocumentMeter):
    """Reads a ranking, and what it was billed by: ``meta``, as Cohere has it."""

    shape = EMBEDDINGS
    id_prefix = "rerank-"

    def __init__(self, request: InferenceRequest, *, explain: Explain) -> None:
        """Start before the first byte.

        Args:
            request: Says by what its model is sold.
            explain: Reads errors of the upstream.
        """
        super().__init__(explain=explain)
        self._is_sold_by_search = request.sold_by is Unit.SEARCH
        self._searches = 0
        self._tokens = 0

    @property
    def usage(self) -> Usage | None:
        """What the answer says that it was billed by, known after ``finish``."""
        reported = self._tally.usage
        tokens = self._tokens or (reported.prompt_tokens if reported else 0)
        if self._is_sold_by_search:
            return Usage(prompt_tokens=tokens, units=self._searches) if self._searches else None
        return Usage(prompt_tokens=tokens) if tokens else None

    def _lengths(self, document: dict[str, Any]) -> list[int] | None:
        if not isinstance(document.get("results"), list):
            return None
        billed = ("meta", "billed_units")
        self._searches = count_at(document, *billed, "search_units") or 0
        self._tokens = (
            count_at(document, *billed, "total_tokens")
            or count_at(document, *billed, "input_tokens")
            or count_at(document, "meta", "tokens", "input_tokens")
            or 0
        )
        return []


def _lengths_of(documents: object) -> list[int]:
    """Return the UTF-8 bytes of the text of each document.

    Raises:
        InvalidRequestError: They are no list of texts and objects; the error names the place.
    """
    if not isinstance(documents, list) or not 0 < len(documents) <= _MOST_DOCUMENTS:
        raise invalid("documents", f"must be a list of 1 to {_MOST_DOCUMENTS:,} documents")
    lengths = []
    for at, document in enumerate(documents):
        if not isinstance(document, str | dict):
            raise invalid(f"documents[{at}]", "must be a string, or an object with its text")
        size = Prompt()
        size.add_text(document)
        lengths.append(size.text_bytes)
    return lengths


def _searches(documents: int) -> int:
    return max(1, -(-documents // _DOCUMENTS_PER_SEARCH))
