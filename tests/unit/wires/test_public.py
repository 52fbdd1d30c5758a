"""Of a whole answer the client sees what its protocol has, and nothing of the operator's."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.wires.public import clean

USAGE = {"prompt_tokens": 9, "completion_tokens": 2}


@pytest.mark.parametrize(
    "private",
    [
        {"_hidden_params": {"api_base": "http://10.0.0.7"}},
        {"_response_headers": {}, "_response_ms": 12},
        {"cost": 0.1, "response_cost": None},
    ],
)
def test_what_is_the_operators_is_taken_out(private: dict[str, Any]) -> None:
    answer = {"id": "c", **private, "usage": USAGE}

    assert clean(answer, id_prefix="chatcmpl-")
    assert answer == {"id": "c", "usage": USAGE}


def test_usage_loses_what_the_call_cost() -> None:
    answer = {"id": "c", "usage": {**USAGE, "cost": 0.1, "cost_details": {}, "is_byok": False}}

    assert clean(answer, id_prefix="chatcmpl-")
    assert answer == {"id": "c", "usage": USAGE}


def test_an_answer_without_secrets_stays_as_it_is() -> None:
    answer = {"id": "chatcmpl-1", "usage": USAGE, "costs": "an unknown field of another name"}

    assert not clean(answer, id_prefix="chatcmpl-")
    assert len(answer) == 3
