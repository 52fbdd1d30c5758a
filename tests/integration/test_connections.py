"""Idle connections give their places up, and an address with its share gets no other's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

import pytest

from adapters.flask_web.server.connections import SHARES, SPARE, Connections

MOST = 40
SHARE = MOST // SHARES
SPARED = MOST // SPARE
HERE = ("127.0.0.1", 1)


@dataclass(eq=False)
class Client:
    """A connection as gevent has it, and the end of it that a client holds."""

    _sock: socket.socket
    other_end: socket.socket

    @property
    def is_ended(self) -> bool:
        self._sock.settimeout(0)
        try:
            return self._sock.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False


@dataclass
class Server:
    """Counts clients as they come."""

    connections: Connections
    opened: ExitStack
    numbers: Iterator[int]

    def comes(self, host: str | None = None, *, busy: bool = False) -> tuple[Client, bool]:
        ours, theirs = socket.socketpair()
        client = Client(self.opened.enter_context(ours), self.opened.enter_context(theirs))
        host = host or f"10.0.0.{next(self.numbers)}"
        may_stay = self.connections.enter(client, (host, 1))
        if busy:
            self.connections.busy(client)
        return client, may_stay


@pytest.fixture
def server() -> Iterator[Server]:
    with ExitStack() as opened:
        yield Server(Connections(MOST, shared_by_address=True), opened, count(1))


def test_the_longest_idle_connection_gives_way_when_hardly_a_place_is_free(server: Server) -> None:
    first, _ = server.comes()
    second, _ = server.comes()
    for _ in range(MOST - SPARED - 2):
        server.comes(busy=True)
    # It has answered meanwhile, and so the other one has waited for longer.
    server.connections.idle(first, server.connections.busy(first))
    assert not first.is_ended
    assert not second.is_ended

    _, may_stay = server.comes()

    assert may_stay
    assert second.is_ended
    assert not first.is_ended


def test_a_connection_with_a_request_under_way_is_never_ended(server: Server) -> None:
    clients = [server.comes(busy=True)[0] for _ in range(MOST)]

    assert not any(client.is_ended for client in clients)


def test_an_address_with_its_share_gets_no_more_while_half_is_taken(server: Server) -> None:
    mine = [server.comes("192.0.2.1", busy=True)[0] for _ in range(SHARE)]
    while server.connections._taken < MOST // 2:
        server.comes(busy=True)

    assert not server.comes("192.0.2.1")[1]
    assert server.comes("192.0.2.2")[1]
    # Once one of its own waits for nothing, that one gives way.
    server.connections.idle(mine[0], server.connections.busy(mine[0]) or "192.0.2.1")
    assert server.comes("192.0.2.1")[1]
    assert mine[0].is_ended


def test_an_address_may_have_half_of_an_empty_process(server: Server) -> None:
    assert all(server.comes("192.0.2.1", busy=True)[1] for _ in range(MOST // 2))


def test_neighbours_in_a_network_of_ipv6_share_its_places(server: Server) -> None:
    for number in range(MOST // 2):
        server.comes(f"2001:db8::{number}", busy=True)

    assert not server.comes("2001:db8::ffff")[1]
    assert server.comes("2001:db8:0:1::1")[1]


def test_behind_a_proxy_addresses_have_no_shares(server: Server) -> None:
    server.connections = Connections(MOST, shared_by_address=False)

    assert all(server.comes("192.0.2.1", busy=True)[1] for _ in range(MOST))


def test_what_has_ended_is_counted_no_more(server: Server) -> None:
    for _ in range(3 * MOST):
        client, may_stay = server.comes("192.0.2.1", busy=True)
        assert may_stay
        server.connections.leave(client, ("192.0.2.1", 1))

    assert not server.connections._of_addresses


def test_a_connection_ends_once_it_has_been_idle_for_so_long(server: Server) -> None:
    idle, _ = server.comes()
    busy, _ = server.comes(busy=True)

    server.connections.end_idle(3600)

    assert not idle.is_ended
    server.connections.end_idle(0)
    assert idle.is_ended
    assert not busy.is_ended


def test_at_the_end_a_connection_that_has_just_come_may_still_send_its_request(
    server: Server,
) -> None:
    waiting, _ = server.comes()
    server.connections.end_all_idle()
    new, _ = server.comes()
    busy, _ = server.comes(busy=True)

    server.connections.end_all_idle()

    assert waiting.is_ended
    assert not new.is_ended
    server.connections.end_all_idle()
    assert new.is_ended
    assert not busy.is_ended
