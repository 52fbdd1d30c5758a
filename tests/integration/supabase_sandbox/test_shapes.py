"""The stand-in's answers have the status, headers and fields of recorded ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.supabase_sandbox.flows import FLOWS
from tests.integration.supabase_sandbox.project import SupabaseProject

DATA = Path(__file__).resolve().parents[2] / "data" / "gotrue-wire"
SHAPES: dict[str, Any] = json.loads((DATA / "shapes.json").read_text())
# Of the transport, not of the answer.
_TRANSPORT = {"Date", "Content-Length", "Transfer-Encoding", "Server", "Connection"}


def shape(answer: requests.Response) -> dict[str, Any]:
    """Return what is compared of an answer."""
    headers = {name.title() for name in answer.headers} - _TRANSPORT
    body: str | list[str] = "empty"
    if answer.content:
        is_json = answer.headers.get("Content-Type", "") == "application/json"
        body = sorted(set(_paths(answer.json(), ""))) if is_json else "text"
    return {"status": answer.status_code, "headers": sorted(headers), "body": body}


def _paths(value: Any, path: str) -> Iterator[str]:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    yield f"{path or '$'}:{kinds.get(type(value), 'number')}"
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _paths(item, f"{path}.{name}" if path else name)
    if isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{path}[]")


@pytest.mark.parametrize("name", FLOWS)
def test_an_answer_has_the_recorded_shape(project: SupabaseProject, name: str) -> None:
    assert shape(FLOWS[name](project)) == SHAPES[name]


def test_every_recorded_shape_here_is_compared() -> None:
    assert SHAPES.keys() == FLOWS.keys()
