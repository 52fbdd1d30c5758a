"""Streams with reports of usage in any order, cut anywhere, against a table read by eye."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.ports.inference import Wire
from tests.unit.relaying import SECRET, Scene, a_scene

STREAMS = 200
ASKED = "twelve chars"
LIMIT = 150  # far from the end, so that a client that leaves ends it at once


class Row(NamedTuple):
    """One event: a text, or a report of input and output."""

    text: bool
    read: int | None = None
    written: int | None = None


def event(**document: Any) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def chat(row: Row) -> bytes:
    if row.text:
        return event(choices=[{"index": 0, "delta": {"content": "abc"}}])
    return event(
        choices=[{"index": 0, "delta": {"role": "assistant"}}],
        usage={"prompt_tokens": row.read, "completion_tokens": row.written},
    )


def completion(row: Row) -> bytes:
    if row.text:
        return event(choices=[{"index": 0, "text": "abc"}])
    usage = {"prompt_tokens": row.read, "completion_tokens": row.written}
    return event(choices=[{"index": 0, "text": ""}], usage=usage)


def message(row: Row) -> bytes:
    if row.text:
        delta = {"type": "text_delta", "text": "abc"}
        return event(type="content_block_delta", index=0, delta=delta)
    usage = {"input_tokens": row.read, "output_tokens": row.written}
    return event(type="message_delta", delta={}, usage=usage)


CHAT_END = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
MESSAGES_ = {"messages": [{"role": "user", "content": ASKED}]}
WIRES: dict[str, tuple[Wire, dict[str, Any], Callable[[Row], bytes], bytes]] = {
    "chat": (ChatCompletions(), MESSAGES_, chat, CHAT_END),
    "completions": (
        Completions(),
        {"prompt": ASKED},
        completion,
        event(choices=[{"index": 0, "text": "", "finish_reason": "stop"}]),
    ),
    "messages": (Messages(), MESSAGES_, message, event(type="message_stop")),
}


def rows(dice: random.Random) -> list[Row]:
    table, texts = [], 0
    for _ in range(dice.randint(1, 8)):
        text = dice.random() < 0.6
        texts += text
        read = dice.choice([None, 0, dice.randint(1, 90)])
        written = dice.choice([None, 0, texts + dice.randint(1, 9)])
        table.append(Row(text=True) if text else Row(text=False, read=read, written=written))
    return table


def reading(table: list[Row], *, whole: bool, estimate: int) -> int:
    """Read the table from its bottom: what was read, and ten times what was written."""
    read = [row.read for row in table if row.read]
    written = [at for at, row in enumerate(table) if row.written]
    texts = sum(row.text for row in table)
    output = texts
    if written:
        behind = any(row.text for row in table[written[-1] :])
        output = table[written[-1]].written or 0
        output = max(output, texts) if behind and not whole else output
    if not read and not output and not texts:
        return 0
    return (read[-1] if read else estimate) + 10 * output


def start(scene: Scene, protocol: str, **further: Any) -> tuple[Any, int]:
    wire, fields, _, _ = WIRES[protocol]
    asked = {"model": "demo", "stream": True, "max_tokens": LIMIT}
    body = orjson.dumps({**asked, **fields, **further})
    call = scene.relay.open(wire, scene.relay.prepare(wire, body, call_id="call-1"), secret=SECRET)
    return call, wire.parse(body).prompt_estimate


@pytest.mark.parametrize("protocol", WIRES)
def test_a_stream_is_charged_as_its_table_reads(protocol: str) -> None:
    _, _, write, end = WIRES[protocol]
    for seed in range(STREAMS):
        dice = random.Random(seed)  # noqa: S311 - the same streams each time
        table, whole = rows(dice), dice.random() < 0.5
        with a_scene() as scene:
            scene.script(*map(write, table), end if whole else UpstreamUnavailableError())
            call, estimate = start(scene, protocol)
            list(call)
            call.close()
            expected = reading(table, whole=whole, estimate=estimate)
            assert scene.hold.charged.microcredits == expected, (seed, table, whole)


@pytest.mark.parametrize("protocol", WIRES)
def test_a_client_that_leaves_pays_what_was_reported_and_delivered(protocol: str) -> None:
    _, _, write, end = WIRES[protocol]
    for seed in range(40):
        table = rows(random.Random(seed))  # noqa: S311 - the same streams each time
        for leaves_after in range(1, len(table) + 1):
            with a_scene() as scene:
                scene.script(*map(write, table), end)
                call, _ = start(scene, protocol)
                stream = iter(call)
                delivered = b""
                for _ in range(leaves_after):
                    delivered += next(stream, b"")
                call.close()
                if b"stop" in delivered:
                    break  # it has all of it, and its provider's count is the count
                texts = delivered.count(b"abc")
                seen = table[: leaves_after if protocol == "messages" else 0]
                read = [row.read for row in seen if row.read]
                least = (read[-1] if read else 0) + 10 * texts
                assert scene.hold.charged.microcredits >= least, (seed, table, leaves_after)


@pytest.mark.parametrize("protocol", WIRES)
def test_what_a_client_was_told_last_is_charged(protocol: str) -> None:
    """However the answer goes on that it leaves, or whatever is counted behind its end."""
    _, _, write, end = WIRES[protocol]
    asked = {} if protocol == "messages" else {"stream_options": {"include_usage": True}}
    done = b"" if protocol == "messages" else b"data: [DONE]\n\n"
    late = {"input_tokens": 95, "output_tokens": 99, "prompt_tokens": 95, "completion_tokens": 99}
    told = 0
    for seed in range(STREAMS):
        dice = random.Random(seed)  # noqa: S311 - the same streams each time
        table, cut = rows(dice), dice.random() < 0.3
        last = UpstreamUnavailableError() if cut else end
        error = event(type="error", error={"message": "died"}, usage=late)
        leaves_after = dice.choice([None, dice.randint(1, len(table))])
        with a_scene() as scene:
            scene.script(*map(write, table), last, *map(write, table[-1:]), done, error)
            call, _ = start(scene, protocol, **asked)
            given = b"".join(part for _, part in zip(range(leaves_after or 99), call, strict=False))
            call.close()
            costs = list(re.finditer(rb'"cost":"([0-9.]+)"', given))
            if costs and b"abc" not in given[costs[-1].end() :]:
                told += 1
                charged = scene.hold.charged
                assert str(charged) == costs[-1][1].decode(), (seed, table, cut, leaves_after)
    assert told > STREAMS // 10


@pytest.mark.parametrize(
    ("start_usage", "end_usage", "charged"),
    [
        ({"input_tokens": 1000, "cache_read_input_tokens": 0}, {"input_tokens": 200}, 700),
        ({"input_tokens": 900}, {"input_tokens": 0}, 900 + 500),
        ({"input_tokens": 900}, None, 900 + 10),
    ],
)
def test_a_beginning_gives_way_to_the_end(
    start_usage: dict[str, int], end_usage: dict[str, int] | None, charged: int
) -> None:
    last = Row(text=False, read=(end_usage or {}).get("input_tokens"), written=50)
    with a_scene() as scene:
        ends = [message(last), event(type="message_stop")] if end_usage else []
        scene.script(
            event(type="message_start", message={"usage": start_usage}),
            message(Row(text=True)),
            *ends,
            *([] if end_usage else [event(type="error", message="died")]),
        )
        call, _ = start(scene, "messages")
        list(call)
        call.close()
        assert scene.hold.charged.microcredits == charged
