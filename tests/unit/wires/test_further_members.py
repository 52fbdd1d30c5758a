"""Further members of kinds that were met in the field: providers and clients beside the usual."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.chat import ChatCompletions
from creditcore.domain.pricing import Usage
from creditcore.ports.inference import Meter
from tests.unit.wires.asking import Asking

asking = Asking(ChatCompletions(), {"messages": [{"role": "user", "content": "hi"}]})
COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def a_meter(**fields: Any) -> Meter:
    request = asking.parse(**fields)
    return asking.wire.meter(request, receipt=lambda _: {"cost": "1"}, explain=failure_within)


def chunk(finish_reason: str | None = None, *, choice: object = None, **beside: Any) -> bytes:
    said = {"index": 0, "delta": {"content": "hi"}, "finish_reason": finish_reason}
    document = {"id": "c", "choices": [{**said, **(choice if isinstance(choice, dict) else {})}]}
    return b"data: " + orjson.dumps({**document, **beside}) + b"\n\n"


@pytest.mark.parametrize(
    "last",
    [
        chunk("stop", x_groq={"id": "req_1", "usage": COUNTS}),
        chunk("stop", choice={"usage": COUNTS}),
    ],
    ids=["groq", "moonshot"],
)
@pytest.mark.parametrize("wanted", [True, False])
def test_usage_is_found_where_a_provider_writes_it(last: bytes, *, wanted: bool) -> None:
    meter = a_meter(stream=True, stream_options={"include_usage": wanted})

    given = meter.feed(chunk() + last)

    assert meter.usage == Usage(prompt_tokens=10, completion_tokens=5)
    assert (b'"cost":"1"' in given) is wanted


def test_an_end_whose_reason_is_an_error_is_one() -> None:
    meter = a_meter(stream=True)

    given = meter.feed(chunk() + chunk("error"))

    assert meter.error == "The model reported an error while it answered."
    assert b'"type":"server_error"' in given
    assert not meter.complete


def test_an_answer_without_choices_and_counts_is_none() -> None:
    for document, is_failure in (({}, True), ({"usage": COUNTS}, False)):
        meter = a_meter()
        meter.feed(orjson.dumps({"choices": [], **document}))
        meter.finish()
        assert (meter.failure is not None) is is_failure


def test_what_clients_tell_other_servers_is_dropped_or_passed_on() -> None:
    dropped = {
        "cache_prompt": True,
        "include_reasoning": True,
        "keep_alive": "5m",
        "session_id": "x",
        "usage": {"include": True},
    }
    passed = {"chat_template_kwargs": {"enable_thinking": False}, "enable_thinking": False}

    sent = asking.sent(asking.parse(**dropped, **passed))

    assert not dropped.keys() & sent.keys()
    assert passed.items() <= sent.items()
