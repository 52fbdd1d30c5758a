"""What an answer's usage says that it cost, by protocol and by version of LiteLLM."""

from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.responses import Responses
from creditcore.domain.reported_cost import picodollars
from creditcore.ports.inference import Meter, Wire
from tests.unit.wires.recordings import VERSIONS, body_of

WIRES: dict[str, tuple[Wire, dict[str, Any]]] = {
    "chat": (ChatCompletions(), {"messages": [{"role": "user", "content": "x"}]}),
    "messages": (Messages(), {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9}),
    "responses": (Responses(), {"input": "x"}),
}


def metered(protocol: str, body: bytes, *, stream: bool) -> Meter:
    wire, fields = WIRES[protocol]
    request = wire.parse(orjson.dumps({"model": "m", "stream": stream, **fields}))
    meter = wire.meter(request, receipt=lambda _: {}, explain=failure_within)
    meter.feed(body)
    meter.finish()
    return meter


@pytest.mark.parametrize(
    ("protocol", "name", "cost"),
    [
        ("chat", "chat-stream-usage", 5_250_000),
        ("chat", "chat-claude-stream-usage", 117_000_000),
        ("responses", "responses-stream", 12_450_000),
        ("responses", "responses-claude-stream", 117_000_000),
        ("messages", "messages-claude-stream", None),
    ],
)
def test_recorded_streams_report_their_cost_since_litellm_does(
    protocol: str, name: str, cost: int | None
) -> None:
    before, since = (metered(protocol, body_of(it, name), stream=True) for it in VERSIONS)

    assert before.reported_cost is None
    assert (since.reported_cost and picodollars(since.reported_cost)) == cost
    assert since.usage is not None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("protocol", "name"),
    [("chat", "chat"), ("responses", "responses"), ("messages", "messages-claude")],
)
def test_recorded_documents_leave_it_to_the_head(protocol: str, name: str, version: str) -> None:
    assert metered(protocol, body_of(version, name), stream=False).reported_cost is None


def a_chunk(**usage: object) -> bytes:
    counts = {"prompt_tokens": 9, "completion_tokens": 2, **usage}
    return b"data: " + orjson.dumps({"choices": [], "usage": counts}) + b"\n\n"


@pytest.mark.parametrize(
    ("cost", "reported"),
    [
        (1.05e-05, "1.05e-05"),
        (3, "3"),
        (0, "0"),
        (0.0, "0.0"),
        (None, None),
        (True, None),
        ("0.5", None),
        ([0.5], None),
        ({"total": 0.5}, None),
    ],
)
def test_a_cost_is_a_number(cost: object, reported: str | None) -> None:
    assert metered("chat", a_chunk(cost=cost), stream=True).reported_cost == reported


def test_the_last_cost_counts_and_a_report_without_one_takes_nothing_back() -> None:
    stream = a_chunk(cost=1.0) + a_chunk(cost=2.0) + a_chunk()

    assert metered("chat", stream, stream=True).reported_cost == "2.0"


def test_a_cost_counts_where_the_counts_beside_it_cannot_be_read() -> None:
    meter = metered(
        "chat", a_chunk(cost=0.5, prompt_tokens="many", completion_tokens=None), stream=True
    )

    assert meter.usage is None
    assert meter.reported_cost == "0.5"


def test_a_message_reports_none_since_litellm_forgets_its_prompt() -> None:
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    event = b"event: message_delta\ndata: %b\n\n" % orjson.dumps(
        {**delta, "usage": {"input_tokens": 9, "output_tokens": 2, "cost": 0.5}}
    )

    meter = metered("messages", event, stream=True)

    assert meter.usage is not None
    assert meter.reported_cost is None
