"""``/v1/embeddings``: vectors that are always the same for the same number of dimensions."""

from __future__ import annotations

import array
import base64
from collections.abc import Mapping
from typing import Any, Never

import orjson

from sandbox.litellm.chunks import read_texts
from sandbox.litellm.completion import Completion
from sandbox.litellm.errors import bad_request

DIMENSIONS = 8


class Embeddings:
    """The route."""

    path = "/embeddings"
    media_type = "application/json"

    def answer(self, body: Mapping[str, Any], info: Mapping[str, Any]) -> Completion:
        """Return what the call used: nothing is written."""
        texts, tokens = read_texts(body.get("input"))
        asked = {
            "model": body["model"],
            "messages": [{"role": "user", "content": text} for text in texts],
            "n": len(texts),
        }
        return Completion.of(asked, info, silent=True, prompt_tokens=tokens)

    def document(self, completion: Completion, body: Mapping[str, Any]) -> bytes:
        """Return a vector for each input, as numbers or as their bytes."""
        size = body.get("dimensions") or DIMENSIONS
        numbers = array.array("f", [(at + 1) / 100 for at in range(size)])
        vector: Any = list(numbers)
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(numbers.tobytes()).decode()
        data = [
            {"embedding": vector, "index": index, "object": "embedding"}
            for index in range(completion.choices)
        ]
        answer: dict[str, Any] = {"model": completion.model, "data": data, "object": "list"}
        if completion.usage is not None:
            answer["usage"] = {
                **completion.usage,
                "completion_tokens_details": None,
                "prompt_tokens_details": None,
            }
        return orjson.dumps(answer)

    def events(self, _completion: Completion, _body: Mapping[str, Any]) -> Never:
        """Refuse: embeddings are not streamed."""
        raise bad_request("embeddings cannot be streamed")
