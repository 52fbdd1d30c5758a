"""Requests on one wire, with what is always the same left out."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.inference import InferenceRequest, Wire


@dataclass(frozen=True)
class Asking:
    """Asks on a wire.

    Attributes:
        minimal: The fields of the smallest request.
    """

    wire: Wire
    minimal: dict[str, Any]

    def parse(self, **fields: Any) -> InferenceRequest:
        """Understand the smallest request with these fields."""
        return self.wire.parse(orjson.dumps({"model": "m", **self.minimal, **fields}))

    def refused(self, **fields: Any) -> InvalidRequestError:
        """Return why it is refused."""
        with pytest.raises(InvalidRequestError) as caught:
            self.parse(**fields)
        return caught.value

    def sent(self, request: InferenceRequest, output_bound: int | None = None) -> dict[str, Any]:
        """Return what goes upstream."""
        body = self.wire.upstream_body(request, output_bound=output_bound)
        sent: dict[str, Any] = orjson.loads(body)
        return sent
