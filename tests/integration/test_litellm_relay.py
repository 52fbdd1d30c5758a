"""The relay over real sockets: what it sends, the answers it reads, the connections it keeps."""

import pytest

from adapters.litellm.relay import LiteLLMRelay
from creditcore.domain.errors import (
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from creditcore.ports.outgoing import OutgoingBody
from tests.integration.upstream import (
    BODY,
    STREAM_HEAD,
    STREAMED_BODY,
    WIRE,
    Script,
    Server,
    a_piece,
    an_answer,
    begun,
    read_all,
    send,
)
from tests.unit.wires.recordings import VERSIONS, recording


def test_headers_sent_are_exactly_the_built_ones(server: Server, relay: LiteLLMRelay) -> None:
    script = Script(lambda: server.accept().answer(an_answer())).start()

    send(relay, STREAMED_BODY).close()

    assert script.outcome() == (
        b"POST /litellm/v1/chat/completions HTTP/1.1\r\n"
        b"host: 127.0.0.1:%d\r\n"
        b"authorization: Bearer sk-master\r\n"
        b"user-agent: creditcore\r\n"
        b"accept-encoding: identity\r\n"
        b"content-type: application/json\r\n"
        b"accept: text/event-stream\r\n"
        b"x-litellm-call-id: call-1\r\n"
        b"content-length: 27\r\n"
        b"\r\n"
        b'{"stream":true,"model":"m"}' % server.port
    )


@pytest.mark.parametrize("call_id", ["", "a b", "a\r\nx: y", "é", "x" * 129])
def test_call_id_that_could_break_a_header_is_refused(relay: LiteLLMRelay, call_id: str) -> None:
    with pytest.raises(ValueError, match="call id"):
        relay.send(WIRE, OutgoingBody(BODY), model="m", stream=False, call_id=call_id)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "litellm:4000",
        "ftp://h",
        "http://",
        "http://u:p@h",
        "http://h/?a=b",
        "http://h/#x",
        "http://h/a b",
    ],
)
def test_address_that_is_not_plain_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        LiteLLMRelay(base_url=url, master_key="sk-master")


def test_document_is_read_and_its_connection_used_again(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> None:
        peer = server.accept()
        for number in range(3):
            peer.answer(an_answer(b'{"n": %d}' % number))

    script = Script(steps).start()

    for number in range(3):
        answer = send(relay)
        assert not answer.streamed
        assert read_all(answer) == b'{"n": %d}' % number
        answer.close()
        answer.close()

    script.outcome()
    assert len(server.peers) == 1


def test_connection_given_back_by_one_thread_serves_another(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(an_answer(b"1"))
        peer.answer(an_answer(b"2"))

    script = Script(steps).start()

    def call() -> bytes:
        answer = send(relay)
        try:
            return read_all(answer)
        finally:
            answer.close()

    assert [Script(call).start().outcome(), Script(call).start().outcome()] == [b"1", b"2"]
    script.outcome()


def test_answer_that_ends_with_its_connection_is_whole(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}")
        peer.close()

    script = Script(steps).start()
    answer = send(relay)

    assert read_all(answer) == b"{}"
    answer.close()
    script.outcome()


def test_interim_answers_are_passed_over(server: Server, relay: LiteLLMRelay) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    script = Script(lambda: server.accept().answer(interim + an_answer(b"{}"))).start()

    answer = send(relay)

    assert (answer.status, read_all(answer)) == (200, b"{}")
    answer.close()
    script.outcome()


def test_headers_of_an_interim_answer_say_nothing_of_the_answer(
    server: Server, relay: LiteLLMRelay
) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\ncontent-type: text/event-stream\r\n\r\n"
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    script = Script(lambda: server.accept().answer(interim + whole)).start()

    answer = send(relay)

    assert not answer.streamed
    answer.close()
    script.outcome()


def test_trailers_are_no_headers(server: Server, relay: LiteLLMRelay) -> None:
    end = b"0\r\ncontent-encoding: gzip\r\ncontent-type: text/plain\r\n\r\n"
    _, answer = begun(server, relay, STREAM_HEAD + a_piece(b"data: 1\n\n") + end)

    assert read_all(answer) == b"data: 1\n\n"
    assert (answer.streamed, answer.is_encoded) == (True, False)
    answer.close()


def test_head_cut_anywhere_is_the_same_head(server: Server, relay: LiteLLMRelay) -> None:
    said = an_answer(status="429 X", headers=b"X-Other: 1\r\nx-empty:\r\nRetry-After: 17\r\n")

    def steps() -> None:
        peer = server.accept()
        peer.read_request()
        for at in range(len(said)):
            peer.send(said[at : at + 1])

    script = Script(steps).start()

    with pytest.raises(UpstreamRejectedError) as caught:
        send(relay)
    assert caught.value.retry_after_s == 17
    script.outcome()


def test_header_that_came_twice_is_a_list(server: Server, relay: LiteLLMRelay) -> None:
    twice = b"content-encoding: identity\r\ncontent-encoding: gzip\r\n"
    script = Script(lambda: server.accept().answer(an_answer(headers=twice))).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()


def test_bytes_behind_an_answer_are_no_calls_and_spoil_the_connection(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> bool:
        peer = server.accept()
        peer.answer(an_answer(b"{}") + an_answer(b'{"of": "somebody else"}'))
        return peer.sees_end()

    script = Script(steps).start()
    answer = send(relay)

    assert read_all(answer) == b"{}"
    answer.close()
    assert script.outcome() is True


def test_connection_closed_while_idle_is_not_used(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(an_answer())
        peer.close()
        server.accept().answer(an_answer(b"2"))

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    second = send(relay)

    assert read_all(second) == b"2"
    second.close()
    script.outcome()


def test_stale_connection_is_retried_once_on_a_new_one(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> bool:
        stale = server.accept()
        stale.answer(an_answer())
        lost = stale.read_request()
        stale.close()
        return server.accept().answer(an_answer(b"2")) == lost

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    second = send(relay)

    assert read_all(second) == b"2"
    second.close()
    assert script.outcome() is True


def test_stale_connection_is_not_retried_twice(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        stale = server.accept()
        stale.answer(an_answer())
        stale.read_request()
        stale.close()
        fresh = server.accept()
        fresh.read_request()
        fresh.close()

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()
    assert len(server.peers) == 2


def test_new_connection_that_breaks_is_not_retried(server: Server, relay: LiteLLMRelay) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.read_request()
        peer.close()

    script = Script(steps).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()
    assert len(server.peers) == 1


def test_kept_connection_that_breaks_within_a_head_is_not_retried(
    server: Server, relay: LiteLLMRelay
) -> None:
    def steps() -> None:
        peer = server.accept()
        peer.answer(an_answer())
        peer.answer(b"HTTP/1.1 200 OK\r\ncontent-")
        peer.close()

    script = Script(steps).start()
    first = send(relay)
    read_all(first)
    first.close()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()
    assert len(server.peers) == 1


def recorded_head(version: str, name: str) -> bytes:
    head = recording(version, name).partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    framing = (b"content-length:", b"transfer-encoding:")
    return b"\r\n".join([line for line in lines if not line.lower().startswith(framing)])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("chat", "5.25e-06"),
        ("embeddings", "3.8e-07"),
        # 1.91.5 leaves the cost of messages out, and tells what it was before discounts.
        ("messages-claude", "0.000117"),
        ("chat-stream-usage", None),
        # 1.91.5 writes a cost here that is not that of the answer.
        ("responses-stream", None),
    ],
)
def test_a_document_reports_its_cost_and_a_stream_does_not(
    server: Server, relay: LiteLLMRelay, version: str, name: str, cost: str | None
) -> None:
    said = recorded_head(version, name) + b"\r\ncontent-length: 2\r\n\r\n{}"
    script = Script(lambda: server.accept().answer(said)).start()

    answer = send(relay)

    assert answer.reported_cost == cost
    read_all(answer)
    answer.close()
    script.outcome()


@pytest.mark.parametrize(
    ("headers", "cost"),
    [
        (b"", None),
        (b"x-litellm-response-cost: 0.02\r\n", "0.02"),
        # Less a discount that the operator has set in LiteLLM.
        (
            b"x-litellm-response-cost: 0.02\r\nx-litellm-response-cost-original: 0.04\r\n",
            "0.04",
        ),
        (b"x-litellm-response-cost: 0.02\r\nx-litellm-response-cost-original:\r\n", "0.02"),
        (b"x-litellm-response-cost: None\r\n", "None"),
    ],
)
def test_a_cost_is_what_litellms_prices_make_of_an_answer(
    server: Server, relay: LiteLLMRelay, headers: bytes, cost: str | None
) -> None:
    script = Script(lambda: server.accept().answer(an_answer(headers=headers))).start()

    answer = send(relay)

    assert answer.reported_cost == cost
    read_all(answer)
    answer.close()
    script.outcome()
