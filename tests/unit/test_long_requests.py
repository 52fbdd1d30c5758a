"""Long requests are not kept while their calls wait, and not sent where no model reads them."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from creditcore import InvalidRequestError
from creditcore.ports.outgoing import LONG_BYTES
from creditcore.usecases.calls.planned_call import MAX_BYTES_PER_TOKEN
from tests.unit.relaying import END, SECRET, TEXT, USAGE, LeavingClient, Scene, TinyWire


def test_a_long_request_is_forgotten_once_it_is_upstream(scene: Scene) -> None:
    scene.script(TEXT, USAGE, END)
    client = LeavingClient(looks=1_000)
    long = "x" * LONG_BYTES
    body = json.dumps({"text": long}).encode()
    prepared = scene.relay.prepare(TinyWire(), body, call_id="call-1")

    with closing(scene.relay.open(TinyWire(), prepared, secret=SECRET, client=client)) as call:
        assert client.request_gone
        assert "text" not in prepared.planned.request.fields
        list(call)

    assert long.encode() in scene.upstream.sent[0]


def test_text_beyond_what_the_model_reads_is_refused_with_nothing_held(scene: Scene) -> None:
    with pytest.raises(InvalidRequestError, match="1,000 tokens") as refused:
        scene.open(prompt_bound=1_000 * MAX_BYTES_PER_TOKEN + 1)

    assert refused.value.code == "context_length_exceeded"
    assert not scene.store.committed.holds


def test_text_that_the_model_may_just_read_is_sent(scene: Scene) -> None:
    scene.script(TEXT, USAGE, END)

    with closing(scene.open(prompt_bound=1_000 * MAX_BYTES_PER_TOKEN)) as call:
        list(call)

    assert len(scene.upstream.sent) == 1
