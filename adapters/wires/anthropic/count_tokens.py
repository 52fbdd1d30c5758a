"""The wire of ``POST /v1/messages/count_tokens``: a rough count, for nothing."""

from __future__ import annotations

import orjson

from adapters.wires.anthropic.messages import Messages
from adapters.wires.fields import unknown
from adapters.wires.request import given_fields
from creditcore.ports.token_counters import TokenCount


class CountTokens:
    """Counts messages requests by their bytes, as a call without a report is charged.

    A model's own count would take a call of its server, which the operator may pay for. Documents
    count by their length: reading them takes long, and nothing is paid for it.
    """

    endpoint = "/v1/messages/count_tokens"

    def count(self, body: bytes) -> TokenCount:
        """Count a request body.

        Raises:
            InvalidRequestError: It could not be served as a call; the error names the field.
        """
        given = given_fields(body)
        for name in ("max_tokens", "stream"):
            if name in given:
                raise unknown(name)
        fields, prompt = Messages().check({**given, "max_tokens": 1})
        return TokenCount(fields["model"], prompt.estimated_tokens)

    def document(self, count: TokenCount) -> bytes:
        """Return the answer as Anthropic's SDKs read it."""
        return orjson.dumps({"input_tokens": count.tokens})
