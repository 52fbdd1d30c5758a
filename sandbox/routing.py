"""Requests to handlers, values to JSON answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

Handler = Callable[..., Response]
Route = tuple[str, str, Handler]

# What is received is remembered; this keeps the memory bounded.
MAX_BODY_BYTES = 256 * 1024


class Router:
    """A WSGI application made of ``(method, path, handler)`` routes.

    A handler gets the request, and the variables of the path by name.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        error: Callable[[int, str], Response],
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """Take the routes, and how this service words an error for a status and a message."""
        self._map = Map(
            [Rule(path, methods=[method], endpoint=handler) for method, path, handler in routes]
        )
        self._error = error
        self._max_body_bytes = max_body_bytes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            handler, variables = self._map.bind_to_environ(environ).match()
            request = Request(environ)
            request.max_content_length = self._max_body_bytes
            response: Response = handler(request, **variables)
        except HTTPException as problem:
            response = self._error(problem.code or 500, problem.description or problem.name)
        return response(environ, start_response)


def json_answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a compact JSON answer."""
    return Response(
        orjson.dumps(value),
        status=status,
        headers=dict(headers or {}),
        content_type="application/json",
    )


def json_answer_with_exponents(value: object) -> Response:
    """Return JSON with floats in Python's spelling, ``1.5e-07``; orjson would write ``1.5e-7``."""
    text = json.dumps(value, separators=(",", ":"))
    return Response(text, content_type="application/json")


def control_error(status: int, message: str) -> Response:
    """Return an error of a control endpoint."""
    return json_answer({"error": message}, status)


def json_object(request: Request) -> dict[str, Any]:
    """Return the request's body as a JSON object; an empty body is an empty object.

    Raises:
        BadRequest: The body is something else.
    """
    try:
        value = orjson.loads(request.get_data() or b"{}")
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value
