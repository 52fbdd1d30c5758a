"""What the relay makes of servers that are silent, gone, at fault, or refuse."""

import contextlib
import socket
import time

import pytest

from adapters.litellm.relay import LiteLLMRelay
from creditcore.domain.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.integration.upstream import (
    BODY,
    STREAM_HEAD,
    STREAMED_BODY,
    WAIT_S,
    Script,
    Server,
    a_piece,
    a_relay,
    an_answer,
    begun,
    read_all,
    send,
)


@pytest.mark.parametrize(
    ("body", "option"), [(BODY, "head_timeout_s"), (STREAMED_BODY, "first_byte_timeout_s")]
)
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-"])
def test_silence_before_the_head_is_a_timeout(
    server: Server, body: bytes, option: str, said: bytes
) -> None:
    relay = a_relay(server, **{option: 0.05})

    def steps() -> bool:
        peer = server.accept()
        peer.answer(said)
        return peer.sees_end()

    script = Script(steps).start()

    with pytest.raises(UpstreamTimeoutError):
        send(relay, body)
    assert script.outcome() is True


def test_full_pool_is_unavailable_and_a_closed_answer_makes_room(server: Server) -> None:
    relay = a_relay(server, size=1, wait_timeout_s=0.01)
    _, busy = begun(server, relay, STREAM_HEAD)

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    busy.close()

    _, answer = begun(server, relay, STREAM_HEAD)
    answer.close()


def test_a_full_pool_says_nothing_of_the_server(server: Server) -> None:
    relay = a_relay(server, size=1, wait_timeout_s=0.01)
    _, busy = begun(server, relay, STREAM_HEAD)
    for _ in range(6):
        with pytest.raises(UpstreamUnavailableError):
            send(relay)
    busy.close()

    relay.check()
    _, answer = begun(server, relay, STREAM_HEAD)
    answer.close()


def test_while_the_server_is_down_no_call_is_sent_there(server: Server) -> None:
    relay = a_relay(server)
    server.listener.close()
    for _ in range(5):
        relay.check()
        with pytest.raises(UpstreamUnavailableError) as refused:
            send(relay)
        assert isinstance(refused.value.__cause__, OSError)

    with pytest.raises(UpstreamUnavailableError):
        relay.check()
    with pytest.raises(UpstreamUnavailableError) as refused:
        send(relay)
    assert refused.value.__cause__ is None


def test_failed_calls_leave_their_places_free(server: Server) -> None:
    relay = a_relay(server, size=1, wait_timeout_s=0.01, head_timeout_s=0.02)
    for _ in range(2):
        with pytest.raises(UpstreamTimeoutError):
            send(relay)
    server.listener.close()
    for _ in range(2):
        with pytest.raises(UpstreamUnavailableError):
            send(relay)

    with pytest.raises(UpstreamUnavailableError) as refused:
        send(relay)
    assert isinstance(refused.value.__cause__, OSError), "the pool is full, not the server gone"


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        an_answer(b"\x1f\x8b", headers=b"content-encoding: gzip\r\n"),
        an_answer(status="302 Found", headers=b"location: http://127.0.0.1:1/\r\n"),
    ],
    ids=["not http", "long header", "many headers", "two lengths", "upgrade", "gzip", "redirect"],
)
def test_answer_that_cannot_be_used_is_unavailable(
    server: Server, relay: LiteLLMRelay, said: bytes
) -> None:
    def steps() -> None:
        with contextlib.suppress(OSError):  # the client may hang up before it is all said
            server.accept().answer(said)

    script = Script(steps).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    script.outcome()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, UpstreamRejectedError),
        (401, UpstreamUnavailableError),
        (403, UpstreamUnavailableError),
        (404, UpstreamRejectedError),
        (408, UpstreamTimeoutError),
        (413, UpstreamRejectedError),
        (422, UpstreamRejectedError),
        (429, UpstreamRejectedError),
        (500, UpstreamUnavailableError),
        (503, UpstreamUnavailableError),
        (504, UpstreamTimeoutError),
    ],
)
def test_refusal_becomes_an_error_and_its_connection_is_kept(
    server: Server, relay: LiteLLMRelay, status: int, error: type[UpstreamError]
) -> None:
    refusal = an_answer(
        b'{"error": {"message": "litellm.BadRequestError: No.", "type": null}}',
        status=f"{status} X",
        headers=b"retry-after: 7\r\n",
    )

    def steps() -> None:
        peer = server.accept()
        peer.answer(refusal)
        peer.answer(an_answer())

    script = Script(steps).start()

    with pytest.raises(error) as caught:
        send(relay)
    assert getattr(caught.value, "retry_after_s", None) == (7 if status in {429, 503} else None)

    send(relay).close()
    script.outcome()
    assert len(server.peers) == 1


def test_refusal_in_an_event_stream_is_understood(server: Server, relay: LiteLLMRelay) -> None:
    head = STREAM_HEAD.replace(b"200 OK", b"400 Bad Request")
    events = b'data: {"error": {"message": "Too odd."}}\n\ndata: [DONE]\n\n'
    script = Script(lambda: server.accept().answer(head + a_piece(events) + b"0\r\n\r\n")).start()

    with pytest.raises(UpstreamRejectedError, match=r"Too odd\."):
        send(relay, STREAMED_BODY)
    script.outcome()


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        (b"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0),
        # As LiteLLM hands on what the provider told it.
        (b"llm_provider-retry-after: 9\r\n", 9),
        (b"retry-after-ms: 1500\r\n", 2),
        (b"llm_provider-retry-after-ms: 9000\r\nretry-after-ms: soon\r\n", None),
        (b"retry-after-ms: 1500\r\nllm_provider-retry-after: 9\r\n", 9),
        (b"llm_provider-retry-after: 9\r\nretry-after: 7\r\n", 7),
    ],
)
def test_the_time_to_wait_is_read_wherever_it_stands(
    server: Server, relay: LiteLLMRelay, headers: bytes, wait_s: int | None
) -> None:
    said = an_answer(b"{}", status="429 X", headers=headers)
    script = Script(lambda: server.accept().answer(said)).start()

    with pytest.raises(UpstreamRejectedError) as caught:
        send(relay)

    assert caught.value.retry_after_s == wait_s
    script.outcome()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b'{"error":{"message":"Too long.","code":"context_length_exceeded"}}', True),
        (b'{"object":"error","message":"x","code":400}', False),
    ],
)
def test_an_error_in_place_of_a_stream_is_understood(
    server: Server, relay: LiteLLMRelay, said: bytes, *, code: bool
) -> None:
    script = Script(lambda: server.accept().answer(an_answer(said))).start()

    with pytest.raises(UpstreamRejectedError) as caught:
        send(relay, STREAMED_BODY)

    script.outcome()
    assert caught.value.status == 400
    assert (caught.value.code == "context_length_exceeded") is code


@pytest.mark.parametrize(
    "said",
    [
        b'{"choices":[{"message":{"content":"%b"}}]}' % (b"a" * 200_000),
        b'\n{"id": "r", "output": []}',
        b": hello\n\ndata: {}\n\n",
        b"event: message_start\ndata: {}\n\n",
    ],
    ids=["large", "small", "comment", "event"],
)
def test_an_answer_that_is_not_called_a_stream_is_read_from_its_beginning(
    server: Server, relay: LiteLLMRelay, said: bytes
) -> None:
    script = Script(lambda: server.accept().answer(an_answer(said))).start()

    answer = send(relay, STREAMED_BODY)

    assert read_all(answer) == said
    answer.close()
    script.outcome()


@pytest.mark.parametrize("said", [b"", b"<html>", b"[]", b'{"hello": 1}', b"no", b"\n"])
def test_what_is_neither_a_stream_nor_an_answer_is_unavailable(
    server: Server, relay: LiteLLMRelay, said: bytes
) -> None:
    script = Script(lambda: server.accept().answer(an_answer(said))).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay, STREAMED_BODY)

    script.outcome()


def test_endless_refusal_is_cut_off(server: Server, relay: LiteLLMRelay) -> None:
    head = STREAM_HEAD.replace(b"200 OK", b"400 Bad Request")

    def steps() -> bool:
        peer = server.accept()
        peer.read_request()
        with contextlib.suppress(OSError):
            peer.send(head)
            while True:
                peer.send(a_piece(b" " * 16_384))
        return True

    script = Script(steps).start()

    with pytest.raises(UpstreamRejectedError):
        send(relay)
    assert script.outcome() is True


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(b"v" * 16_384, id="one header"),
        pytest.param(b"v\r\nx-more: " * 1_490, id="many headers"),
    ],
)
def test_answer_with_a_head_of_a_megabyte_is_refused(
    server: Server, relay: LiteLLMRelay, more: bytes
) -> None:
    def steps() -> bool:
        peer = server.accept()
        peer.read_request()
        with contextlib.suppress(OSError):
            peer.send(b"HTTP/1.1 200 OK\r\nx-more: ")
            for _ in range(64):
                peer.send(more)
            peer.send(b"\r\ncontent-length: 0\r\n\r\n")
        return True

    script = Script(steps).start()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    assert script.outcome() is True


def test_server_that_refuses_before_reading_everything_is_heard(
    server: Server, relay: LiteLLMRelay
) -> None:
    body = b'{"stream":false,"model":"' + b"m" * 8_000_000 + b'"}'

    def steps() -> None:
        peer = server.accept()
        peer.send(an_answer(b'{"error": {"message": "Too large."}}', status="413 Too Large"))
        peer.close()

    script = Script(steps).start()

    with pytest.raises(UpstreamRejectedError) as caught:
        send(relay, body)
    assert caught.value.status == 413
    script.outcome()


def test_unreachable_server_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    relay = LiteLLMRelay(base_url=f"http://127.0.0.1:{port}", master_key="sk-master")
    started = time.monotonic()

    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    assert time.monotonic() - started < WAIT_S


def test_a_silent_model_is_not_asked_and_stops_no_other(server: Server) -> None:
    relay = a_relay(server, head_timeout_s=0.02, first_byte_timeout_s=WAIT_S)
    for _ in range(5):
        with pytest.raises(UpstreamTimeoutError):
            send(relay)

    # Not even sent, or it would have been a timeout again.
    with pytest.raises(UpstreamUnavailableError):
        send(relay)
    relay.check()
    for _ in range(5):
        server.accept()
    other = STREAMED_BODY.replace(b'"m"', b'"other"')
    answering = Script(lambda: server.accept().answer(an_answer())).start()
    send(relay, other).close()
    answering.outcome()
    relay.close()


def test_an_answer_of_a_model_ends_its_silence(server: Server) -> None:
    relay = a_relay(server, head_timeout_s=0.02, first_byte_timeout_s=WAIT_S)
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(UpstreamTimeoutError):
                send(relay)
            server.accept()
        answering = Script(lambda: server.accept().answer(an_answer())).start()
        send(relay, STREAMED_BODY).close()
        answering.outcome()
        for peer in server.peers:
            peer.close()
    relay.close()
