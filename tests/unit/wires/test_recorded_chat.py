"""Recorded streams of chat: whole, cut anywhere, in any pieces."""

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore.domain.pricing import Usage
from tests.unit.wires.chatting import a_meter, outcome
from tests.unit.wires.recordings import CHAT_STREAMS, VERSIONS, body_of

_RECORDED = [(version, name) for version in VERSIONS for name in CHAT_STREAMS]
_RECORDED.append(("1.91.5", "stream-cut"))
_SECRET = re.compile(
    rb"cost|https?://|127\.0\.0\.1|localhost|sk-|litellm|OpenAIException|Traceback", re.IGNORECASE
)
_RECORDED_USAGE = {
    "chat-stream-usage": Usage(prompt_tokens=19, completion_tokens=4),
    "chat-claude-stream-usage": Usage(prompt_tokens=19, completion_tokens=4),
}


@pytest.mark.parametrize("wants_usage", [False, True], ids=["hidden", "shown"])
@pytest.mark.parametrize(("version", "name"), _RECORDED)
def test_recorded_stream_cut_anywhere_gives_the_same(
    version: str, name: str, wants_usage: bool
) -> None:
    stream = body_of(version, name)
    whole = outcome(a_meter(wants_usage=wants_usage), stream)

    for cut in range(1, len(stream)):
        assert outcome(a_meter(wants_usage=wants_usage), stream[:cut], stream[cut:]) == whole


@given(st.sampled_from(_RECORDED), st.booleans(), st.data())
def test_recorded_stream_in_any_pieces_gives_the_same(
    recorded: tuple[str, str], wants_usage: bool, data: st.DataObject
) -> None:
    stream = body_of(*recorded)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=40)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    whole = outcome(a_meter(wants_usage=wants_usage), stream)

    assert outcome(a_meter(wants_usage=wants_usage), *pieces) == whole


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", _RECORDED_USAGE)
def test_recorded_usage_is_read_whether_shown_or_not(version: str, name: str) -> None:
    for wants_usage in (False, True):
        meter = a_meter(wants_usage=wants_usage)
        meter.feed(body_of(version, name))

        assert meter.usage == _RECORDED_USAGE[name]
        assert meter.complete
        assert meter.error is None


@pytest.mark.parametrize("version", VERSIONS)
def test_hidden_usage_leaves_exactly_the_stream_without_it(version: str) -> None:
    stream = body_of(version, "chat-stream-usage")
    without = b"".join(
        part + b"\n\n" for part in stream.rstrip().split(b"\n\n") if b'"usage"' not in part
    )

    assert a_meter().feed(stream) == without


def test_shown_usage_without_cost_passes_untouched() -> None:
    stream = body_of("1.91.5", "chat-stream-usage")

    passed, *_ = outcome(a_meter(wants_usage=True), stream)

    assert passed == stream.rstrip(b"\n") + b"\n\n"


def test_recorded_cost_is_taken_out_of_shown_usage() -> None:
    stream = body_of("1.102.4", "chat-claude-stream-usage")
    assert b'"cost":0.000117' in stream

    passed = a_meter(wants_usage=True).feed(stream)

    (shown,) = [orjson.loads(p[6:]) for p in passed.split(b"\n\n") if b'"usage"' in p]
    assert "cost" not in shown["usage"]
    assert shown["usage"]["prompt_tokens"] == 19
    assert shown["usage"]["cache_read_input_tokens"] == 0


@pytest.mark.parametrize("wants_usage", [False, True], ids=["hidden", "shown"])
@pytest.mark.parametrize(("version", "name"), _RECORDED)
def test_nothing_of_the_operators_is_forwarded(version: str, name: str, wants_usage: bool) -> None:
    passed, *_ = outcome(a_meter(wants_usage=wants_usage), body_of(version, name))

    assert _SECRET.search(passed) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_error_in_the_stream_is_reported_in_openai_shape(version: str) -> None:
    meter = a_meter()

    passed = meter.feed(body_of(version, "stream-error"))

    last = orjson.loads(passed.rstrip().rpartition(b"data: ")[2])
    assert last == {
        "error": {"message": "provider died", "type": "server_error", "param": None, "code": None}
    }
    assert meter.error == "provider died"
    assert not meter.complete
    assert meter.usage is None
    assert meter.delivered_tokens == 9  # "token 0" to "token 4": 35 bytes
