"""Operations of the account API: one declaration validates requests and documents them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.flask_web.api.caller import caller_with
from creditcore.domain.access import Action
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.keys import Scope

MAX_BODY_BYTES = 256 * 1024

SUBJECTS = {
    "account_api": "Balance, limits and prices",
    "api_calls": "Calls",
    "api_keys": "Keys",
    "api_usage": "Usage",
    "api_money": "Movements and purchases",
    "api_team": "Teams",
    "api_members": "Members of a team",
}
"""What the operations of each blueprint are about, in the order of the page."""

ANY_READER = (Scope.ACCOUNT_READ, Scope.ACCOUNT_MANAGE, Scope.INFERENCE)
"""What an answer tells anyway, or what belongs to the key itself, every key may ask for."""

READER = (Scope.ACCOUNT_READ, Scope.ACCOUNT_MANAGE)
MANAGER = (Scope.ACCOUNT_MANAGE,)


# Only amounts of credits have a pattern.
_NO_AMOUNT = 'Write credits as decimal text, such as "12.5", with up to six decimals'


class Shape(BaseModel):
    """What a request or an answer looks like. Unknown fields are refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Query(BaseModel):
    """The parameters of an address, which are text."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=500)


Declared = TypeVar("Declared", bound=BaseModel)
View = Callable[..., BaseModel | Response | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that the account API does.

    Attributes:
        subject: What it is about: one of ``SUBJECTS``.
        path: As OpenAPI writes it: ``/api/v1/keys/{key_id}``.
        scopes: One of them is needed.
        query, body, answer: Their shapes; None where there is none.
        status: Of the answer.
        media: What kinds of answers there are.
    """

    subject: str
    method: str
    path: str
    name: str
    summary: str
    scopes: tuple[Scope, ...]
    query: type[Query] | None
    body: type[Shape] | None
    answer: type[Shape] | None
    status: int
    media: tuple[str, ...]


OPERATIONS: list[Operation] = []
"""Every operation, in the order of the documentation."""


def operation(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    scopes: tuple[Scope, ...],
    query: type[Query] | None = None,
    body: type[Shape] | None = None,
    answer: type[Shape] | None = None,
    status: int = 200,
    media: tuple[str, ...] = ("application/json",),
    action: Action | None = None,
) -> Callable[[View], View]:
    """Serve an operation by a view, whose first line of documentation is its summary.

    The view gets the caller, the names in the path, and ``query`` and ``body`` as declared. Who
    holds the key or the session has to be allowed ``action``; without one, what goes with the
    scopes.
    """

    def register(view: View) -> View:
        declared = Operation(
            subject=SUBJECTS[blueprint.name],
            method=method,
            path=path,
            name=view.__name__.rstrip("_"),
            summary=(view.__doc__ or "").partition("\n")[0].rstrip("."),
            scopes=scopes,
            query=query,
            body=body,
            answer=answer,
            status=status,
            media=media,
        )
        OPERATIONS.append(declared)

        @wraps(view)
        def serve(**names: str) -> Response:
            caller = caller_with(scopes, action)
            asked: dict[str, Any] = dict(names)
            if query is not None:
                asked["query"] = read_query(query)
            elif request.args:
                raise InvalidRequestError("This takes no parameters in its address.")
            if body is not None:
                asked["body"] = read_body(body)
            return _answer(view(caller, **asked), declared)

        rule = path.replace("{", "<").replace("}", ">")
        blueprint.add_url_rule(rule, declared.name, serve, methods=[method])
        return view

    return register


def read_query(shape: type[Declared]) -> Declared:
    """Return the parameters of the address.

    Raises:
        InvalidRequestError: One is unknown, repeated, or means nothing.
    """
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidRequestError(f"{name} is given more than once.", param=name)
    try:
        return shape.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise _refusal(error) from None


def read_body(shape: type[Declared]) -> Declared:
    """Return the body of the request, which is JSON whatever it calls itself.

    Raises:
        InvalidRequestError: It is no JSON, too large, or not of this shape.
    """
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise InvalidRequestError(f"A request has {MAX_BODY_BYTES} bytes at most.")
    try:
        return shape.model_validate_json(request.get_data() or b"{}")
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> InvalidRequestError:
    """Name the first field at fault, and what is wrong with it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function"))
    why = _NO_AMOUNT if first["type"] == "string_pattern_mismatch" else first["msg"]
    return InvalidRequestError(f"{param}: {why}." if param else f"{why}.", param=param or None)


def _answer(found: BaseModel | Response | None, declared: Operation) -> Response:
    if isinstance(found, Response):
        return found
    if found is None:
        return Response(status=HTTPStatus.NO_CONTENT)
    answer = Response(found.model_dump_json(), status=declared.status, mimetype="application/json")
    if declared.method == "GET":
        # A client that asks often pays nothing for what has not changed.
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.add_etag()
        answer.make_conditional(request)
    return answer
