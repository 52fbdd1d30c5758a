"""Work that is done once the visitor has the answer, so that its time tells the visitor nothing."""

from __future__ import annotations

from collections.abc import Callable

from flask import after_this_request
from werkzeug import Response


def after_answering(work: Callable[[], object]) -> None:
    """Do this once the answer to the present request has left.

    The connection ends with it: what came next on it would have to wait, and show how long.

    Args:
        work: Must not fail, nor need the request.
    """

    @after_this_request
    def _attach(response: Response) -> Response:
        response.call_on_close(work)
        response.headers["Connection"] = "close"
        return response
