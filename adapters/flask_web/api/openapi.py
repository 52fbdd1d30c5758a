"""OpenAPI 3.1 of the account API, made from the declarations that validate its requests."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify, render_template
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from adapters.flask_web.api.operations import OPERATIONS, SUBJECTS, Operation
from adapters.flask_web.context import settings

blueprint = Blueprint("api_docs", __name__)

_REF = "#/components/schemas/{model}"
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_REFUSALS = {
    "400": "The request means nothing; `error.param` names the field.",
    "401": "There is no key, or it opens nothing.",
    "403": "The key has not the scope, or would give more than it has.",
    "404": "There is no such thing or address, or it is not yours.",
    "503": "The ledger cannot be reached; try again.",
}


@blueprint.get("/api/openapi.json")
def document() -> Response:
    """Return the document, for programs."""
    answer = jsonify(described() | {"servers": [{"url": settings().base_url}]})
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@blueprint.get("/api/docs")
def page() -> str:
    """Show the document, for people."""
    found = described()
    return render_template(
        "api/docs.html",
        page="api_docs",
        subjects=[
            (subject, [each for each in OPERATIONS if each.subject == subject])
            for subject in SUBJECTS.values()
        ],
        schemas=found["components"]["schemas"],
        fields=_fields,
    )


@cache
def described() -> dict[str, Any]:
    """Return the document, without the address of a server."""
    shapes: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for declared in OPERATIONS:
        if declared.body is not None:
            shapes.append((declared.body, "validation"))
        if declared.answer is not None:
            shapes.append((declared.answer, "serialization"))
    _, found = models_json_schema(shapes, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for declared in OPERATIONS:
        paths.setdefault(declared.path, {})[declared.method.lower()] = _operation(declared)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "creditcore account API",
            "version": "1",
            "description": (
                "Balance, keys, usage and receipts. Credits are exact decimal text: 1 credit is "
                "1 US cent of balance."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": found["$defs"] | {"Error": _ERROR},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
            },
        },
    }


def _operation(declared: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": declared.summary}
    if declared.answer is not None:
        answer["content"] = {
            media: {"schema": _reference(declared.answer) if "json" in media else _TEXT}
            for media in declared.media
        }
    names = re.findall(r"\{(\w+)\}", declared.path)
    described: dict[str, Any] = {
        "operationId": declared.name,
        "summary": declared.summary,
        "description": f"Scopes: any of {', '.join(f'`{scope}`' for scope in declared.scopes)}.",
        "security": [{"key": []}],
        "parameters": [*map(_path_parameter, names), *_query_parameters(declared)],
        "responses": {
            str(declared.status): answer,
            **{status: _refusal(why) for status, why in _REFUSALS.items()},
        },
    }
    if declared.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _reference(declared.body)}},
        }
    return described


_TEXT = {"type": "string"}


def _reference(shape: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=shape.__name__)}


def _refusal(why: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF.format(model="Error")}}}
    return {"description": why, "content": content}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(declared: Operation) -> list[dict[str, Any]]:
    if declared.query is None:
        return []
    schema = declared.query.model_json_schema()
    definitions = schema.get("$defs", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": _query_schema(of, definitions)}
        | ({"description": of["description"]} if "description" in of else {})
        for name, of in schema["properties"].items()
    ]


def _query_schema(of: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return what a parameter may be: it is left out, never null, and refers to nothing."""
    kinds = [kind for kind in of.get("anyOf", [of]) if kind.get("type") != "null"]
    [kind] = kinds
    if "$ref" in kind:
        kind = definitions[kind["$ref"].rpartition("/")[2]]
    left_out = {"title", "default", "description"}
    return {name: value for name, value in kind.items() if name not in left_out}


def _fields(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, kind and meaning of each field, as people read them."""
    return [
        (name, _kind(of), of.get("description", ""))
        for name, of in schema.get("properties", {}).items()
    ]


def _kind(of: dict[str, Any]) -> str:
    if "anyOf" in of:
        return " or ".join(_kind(each) for each in of["anyOf"])
    if "$ref" in of:
        return str(of["$ref"]).rpartition("/")[2]
    if "const" in of or "enum" in of:
        return " | ".join(map(str, of.get("enum", [of.get("const")])))
    if of.get("type") == "array":
        return f"list of {_kind(of.get('items', {}))}"
    return str(of.get("format") or of.get("type") or "anything")
