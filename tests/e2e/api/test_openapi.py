"""The account API answers as its own document says, whatever it is asked."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adapters.flask_web.api.openapi import described
from tests.e2e.api.conftest import Hire
from tests.stack import PATIENCE_S, Stack

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
PAUSES_THE_KEY_THAT_ASKS = "/api/v1/pause-all-keys"
# Of a team nothing exists for a key of a person's own, so that each answer would be 404.
SCHEMA = (
    schemathesis.openapi.from_dict(described())
    .exclude(path=PAUSES_THE_KEY_THAT_ASKS)
    .exclude(path_regex="^/api/v1/team/")
)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_every_answer_is_as_documented(operation: Any, hire: Hire) -> None:
    program = hire()
    headers = {"authorization": f"Bearer {program.secret}"}

    @given(operation.as_strategy())
    @settings(
        max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        answer = case.call(base_url=program.stack.base_url, headers=headers, timeout=PATIENCE_S)
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_the_document_is_openapi_3_1_and_leaves_nothing_open() -> None:
    document = described()

    assert document["openapi"] == "3.1.0"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["security"] == [{"key": []}], (method, path)
            assert operation["summary"], (method, path)
