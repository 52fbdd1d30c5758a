import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wires.sse import MAX_EVENT_BYTES, EventTooLongError, SseEvent, SseSplitter


def split(*chunks: bytes) -> list[SseEvent]:
    splitter = SseSplitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    last = splitter.finish()
    return [SseEvent.of(raw) for raw in (events if last is None else [*events, last])]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_an_event(end: bytes) -> None:
    stream = end.join([b"data: one", b"", b"event: x", b"data: two", b"", b""])

    assert [event.data for event in split(stream)] == [b"one", b"two"]


def test_raw_bytes_of_all_events_are_the_stream() -> None:
    stream = b": ping\n\ndata: one\r\n\r\nid: 7\ndata:two\r\r\n\n\ndata: three\n\n"

    assert b"".join(event.raw for event in split(stream)) == stream


def test_data_lines_are_joined_and_lose_one_space() -> None:
    (event,) = split(b"data: a\ndata:  b\ndata\ndata:c\n\n")

    assert event.data == b"a\n b\n\nc"


def test_comment_has_no_data() -> None:
    assert split(b": ping\n\n") == [SseEvent(b": ping\n\n", None)]


def test_unfinished_event_never_was() -> None:
    assert [event.data for event in split(b"data: one\n\ndata: two\r\n")] == [b"one"]


def test_event_ended_by_two_carriage_returns_leaves_at_the_end() -> None:
    assert [event.data for event in split(b"data: one\r\r")] == [b"one"]


def test_line_feed_after_a_carriage_return_belongs_to_it() -> None:
    assert [event.raw for event in split(b"data: 1\r\n\r", b"\ndata: 2\n\n")] == [
        b"data: 1\r\n\r\n",
        b"data: 2\n\n",
    ]


def test_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert [event.data for event in split(b"\xef\xbb\xbfdata: one\n\n")] == [b"one"]


def test_event_beyond_the_bound_is_refused() -> None:
    splitter = SseSplitter()
    block = b"data: " + b"x" * (1024 * 1024)

    with pytest.raises(EventTooLongError):
        for _ in range(MAX_EVENT_BYTES // len(block) + 2):
            splitter.feed(block)


def test_long_stream_of_short_events_is_not_bounded() -> None:
    splitter = SseSplitter()
    block = (b"data: " + b"x" * 1000 + b"\n\n") * 1000

    assert sum(len(splitter.feed(block)) for _ in range(10)) == 10_000


_LINES = st.sampled_from([b"data: x", b"data: \xc3\xa9", b"data:", b": c", b"event: e", b""])
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(_LINES, _ENDS), max_size=12), st.data())
def test_however_the_stream_is_cut_the_events_are_the_same(
    lines: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(line + end for line, end in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))

    pieces = [
        stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    ]

    assert split(*pieces) == split(stream)
