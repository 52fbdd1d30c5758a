"""Every operation by every scope: the matrix is made from what is declared."""

from __future__ import annotations

import re

import pytest
import requests

from adapters.flask_web.api.operations import OPERATIONS, Operation
from creditcore.domain.keys import Scope
from tests.e2e.api.conftest import Hire, Program
from tests.stack import PATIENCE_S, Stack

NEVER_FOR_INFERENCE = re.compile(r"keys|usage|transactions|purchases|team|invitations")


@pytest.fixture
def programs(hire: Hire) -> dict[Scope, Program]:
    return {scope: hire(scope) for scope in Scope}


def named(declared: Operation) -> str:
    return re.sub(r"\{\w+\}", "no-such-name", declared.path)


def test_an_operation_is_open_to_the_scopes_it_names_alone(
    programs: dict[Scope, Program],
) -> None:
    wrong = []
    # What pauses every key comes last: nothing could be asked after it.
    for declared in sorted(OPERATIONS, key=lambda each: each.name == "pause_all_keys"):
        for scope, program in programs.items():
            answer = program.call(declared.method, named(declared), json={})
            is_refused = (
                answer.status_code == 403 and answer.json()["error"]["code"] == "insufficient_scope"
            )
            if is_refused is (scope in declared.scopes):
                wrong.append((declared.method, declared.path, scope, answer.status_code))

    assert wrong == []


def test_no_operation_is_open_without_a_key(stack: Stack) -> None:
    for declared in OPERATIONS:
        for headers in ({}, {"authorization": "Bearer sk-cc-nonsense"}):
            answer = requests.request(
                declared.method,
                f"{stack.base_url}{named(declared)}",
                headers=headers,
                json={},
                timeout=PATIENCE_S,
            )
            assert answer.status_code == 401, (declared.path, headers)


def test_keys_for_inference_neither_manage_nor_read_the_account() -> None:
    for declared in OPERATIONS:
        if NEVER_FOR_INFERENCE.search(declared.path):
            assert Scope.INFERENCE not in declared.scopes, declared.path
        if declared.method != "GET" and declared.name != "quote":
            assert declared.scopes == (Scope.ACCOUNT_MANAGE,), declared.path


def test_what_belongs_to_another_does_not_exist_for_any_scope(hire: Hire) -> None:
    owner, others = hire(), [hire(scope) for scope in Scope] + [hire()]
    call_id = owner.stack.chat("hi", key=owner.secret).headers["x-request-id"]
    wrong = []
    for declared in OPERATIONS:
        # Of a team nothing exists for a key of a person's own: test_team_api.py.
        if not re.search(r"\{(key|call)_id\}", declared.path):
            continue
        path = declared.path.format(key_id=owner.key.id, call_id=call_id)
        for other in others:
            answer = other.call(declared.method, path, json={"name": "taken over"} if
                                declared.method == "PATCH" else {})  # fmt: skip
            may_ask = set(other.key.scopes) & set(declared.scopes)
            if answer.status_code != (404 if may_ask else 403):
                wrong.append((declared.method, path, other.key.scopes, answer.status_code))

    assert wrong == []
    assert owner.get(f"/api/v1/keys/{owner.key.id}")["name"] == "program"
