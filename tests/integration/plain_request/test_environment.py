"""What an application is told about a plain request."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from adapters.flask_web.server import plain_environ
from tests.integration.plain_request.parsing import (
    DEFAULT,
    LOCAL,
    SERVER,
    UNIX,
    environments,
    raw,
    read_first,
)


def test_a_server_on_a_unix_socket_is_called_what_the_request_says() -> None:
    ours, theirs = environments(raw(), UNIX, "/run/gateway.sock")

    assert ours == theirs
    assert ours["SERVER_NAME"] == "gateway"


@pytest.fixture
def below_a_prefix(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SCRIPT_NAME", "/v1")
    plain_environ._constant.cache_clear()
    yield
    plain_environ._constant.cache_clear()


@pytest.mark.usefixtures("below_a_prefix")
def test_a_gateway_below_a_prefix_is_told_the_rest_of_the_path() -> None:
    ours, theirs = environments(raw())

    assert ours == theirs
    assert (ours["SCRIPT_NAME"], ours["PATH_INFO"]) == ("/v1", "/messages")


def test_environments_do_not_share_what_an_application_may_change() -> None:
    first, _ = environments(raw())
    first["SERVER_NAME"] = first["HTTP_X_LEFT"] = "changed"

    assert environments(raw())[0] == environments(raw())[1]


def test_early_hints_are_sent_before_the_answer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        request = read_first([raw()])
        _answer, environ = plain_environ.create(request, theirs, LOCAL, SERVER, DEFAULT)
        environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])

        assert ours.recv(100) == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
