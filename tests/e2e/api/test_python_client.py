"""The client in ``contrib/python`` against a running gateway."""

from __future__ import annotations

import pytest
from creditcore_client import ApiError, Client

from creditcore.domain.keys import Scope
from tests.e2e.api.conftest import Hire, Program
from tests.stack import Stack


@pytest.fixture
def stack(sqlite_stack: Stack) -> Stack:
    return sqlite_stack


def test_a_program_manages_keys_with_the_client(program: Program) -> None:
    client = Client(program.stack.base_url, program.secret)

    made = client.make_key(
        {"name": "batch", "rpm": 60, "spend_limit": {"credits": "50", "period": "day"}}
    )
    changed = client.change_key(made["id"], {"rpm": None, "paused": True})
    listed = client.list_keys(limit=1)
    calls = client.list_calls(failed=False)
    revoked = client.revoke_key(made["id"])

    assert made["key"].startswith("sk-cc-")
    assert (changed["rpm"], changed["paused"]) == (None, True)
    assert [key["id"] for key in listed["data"]] == [made["id"]]
    assert listed["next_cursor"] is not None
    assert calls["data"] == []
    assert revoked["revoked_at"] is not None
    assert client.read_credits()["available"] == "200"


def test_what_is_refused_is_an_error_that_names_the_field(hire: Hire, program: Program) -> None:
    with pytest.raises(ApiError) as wrong:
        Client(program.stack.base_url, program.secret).make_key({"name": "x", "rpm": 0})
    with pytest.raises(ApiError) as forbidden:
        Client(program.stack.base_url, hire(Scope.INFERENCE).secret).list_keys()

    assert (wrong.value.status, wrong.value.param) == (400, "rpm")
    assert (forbidden.value.status, forbidden.value.code) == (403, "insufficient_scope")
    assert forbidden.value.request_id
