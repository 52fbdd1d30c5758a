"""The relay gives a call up whose client has left, and keeps no long request while it waits."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from adapters.flask_web.web.calling_client import CallingClient
from adapters.litellm.relay import LiteLLMRelay
from creditcore.domain.errors import ClientLeftError
from creditcore.ports.outgoing import LONG_BYTES, OutgoingBody
from tests.integration.upstream import (
    BODY,
    WIRE,
    Peer,
    Script,
    Server,
    an_answer,
    send,
)
from tests.unit.relaying import LeavingClient


@pytest.mark.parametrize("size", [100, 2 * LONG_BYTES])
def test_a_call_whose_client_left_is_given_up_while_the_server_is_silent(
    server: Server, relay: LiteLLMRelay, size: int
) -> None:
    def steps() -> bool:
        peer = server.accept()
        peer.read_request()
        return peer.sees_end()

    script = Script(steps).start()
    body, client = OutgoingBody(b"x" * size), LeavingClient()

    with pytest.raises(ClientLeftError) as left:
        relay.send(WIRE, body, model="m", stream=True, call_id="call-1", client=client)

    assert left.value.was_sent
    assert script.outcome() is True
    assert (client.request_gone, body.is_forgotten) == (body.is_long, body.is_long)


@pytest.mark.usefixtures("server")
def test_a_call_whose_client_left_is_given_up_while_the_server_reads_nothing(
    relay: LiteLLMRelay,
) -> None:
    # More than the buffers of both ends take.
    body = OutgoingBody(bytes(32 * 1024 * 1024))

    with pytest.raises(ClientLeftError) as left:
        relay.send(WIRE, body, model="m", stream=True, call_id="call-1", client=LeavingClient())

    assert not left.value.was_sent


def test_a_long_request_goes_on_a_connection_of_its_own_and_leaves_it_to_others(
    server: Server, relay: LiteLLMRelay
) -> None:
    def first() -> Peer:
        peer = server.accept()
        peer.answer(an_answer())
        return peer

    def second() -> bytes:
        long, kept = server.accept(), server.peers[0]
        request = long.answer(an_answer())
        kept.close()
        long.answer(an_answer())
        return request

    script = Script(first).start()
    send(relay).close()
    script.outcome()
    script = Script(second).start()

    relay.send(
        WIRE, OutgoingBody(b"x" * 2 * LONG_BYTES), model="m", stream=False, call_id="call-2"
    ).close()
    send(relay, BODY).close()

    request = script.outcome()
    assert isinstance(request, bytes)
    assert request.endswith(b"\r\n\r\n" + b"x" * 2 * LONG_BYTES)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        yield ours, theirs


def test_a_client_is_there_until_it_closes(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    client = CallingClient({"gunicorn.socket": ours})

    assert not client.has_left()
    # A further request does not hide that it has left after it.
    theirs.sendall(b"GET / HTTP/1.1\r\n")
    assert not client.has_left()
    theirs.shutdown(socket.SHUT_WR)
    assert client.has_left()


def test_a_client_that_may_return_or_is_not_known_never_leaves(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    theirs.close()

    assert CallingClient({"gunicorn.socket": ours}).has_left()
    assert not CallingClient({"gunicorn.socket": ours}, may_return=True).has_left()
    assert not CallingClient({}).has_left()
