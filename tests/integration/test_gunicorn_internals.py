"""Every private name of gunicorn that the worker touches, as it is assumed to be.

They are no interface: ``pyproject.toml`` bounds the version, and when it moves, this says which
name is gone or different, before a request finds out.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from gunicorn import http, util
from gunicorn.config import Config
from gunicorn.http import body, errors, message, unreader, wsgi
from gunicorn.http.parser import RequestParser
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from tests.stack import REPOSITORY

# A callable, and the parameters that are passed to it or that it is called with.
CALLED: list[tuple[Any, tuple[str, ...]]] = [
    (RequestParser.__init__, ("self", "cfg", "source", "source_addr")),
    (RequestParser.finish_body, ("self", "deadline", "max_bytes")),
    (message.Request.__init__, ("self", "cfg", "unreader", "peer_addr", "req_number")),
    (message.Request._peer_trusted_for_forwarded, ("self",)),
    (message.Request._peer_is_trusted_proxy, ("self",)),
    (message._ip_in_allow_list, ("ip_str", "allow_list", "networks")),
    (body.LengthReader.__init__, ("self", "unreader", "length")),
    (body.Body.__init__, ("self", "reader")),
    (unreader.Unreader.read, ("self", "size", "read_ahead")),
    (unreader.Unreader.unread, ("self", "data")),
    (unreader.Unreader.take_buffered, ("self",)),
    (wsgi.create, ("req", "sock", "client", "server", "cfg")),
    (wsgi.base_environ, ("cfg",)),
    (wsgi._make_early_hints_callback, ("req", "sock", "resp")),
    (wsgi.WSGIErrorsWrapper.__init__, ("self", "cfg")),
    (wsgi.Response.__init__, ("self", "req", "sock", "cfg")),
    (wsgi.Response.process_headers, ("self", "headers")),
    (wsgi.Response.default_headers, ("self",)),
    (wsgi.Response.send_headers, ("self",)),
    (wsgi.Response.write, ("self", "arg")),
    (wsgi.Response._emit_body, ("self", "data")),
    (wsgi.Response.close, ("self",)),
    (wsgi.Response.force_close, ("self",)),
    (wsgi.Response.should_close, ("self",)),
    (util.is_hoppish, ("header",)),
    (util.unquote_to_wsgi_str, ("string",)),
    (util.write_nonblock, ("sock", "data", "chunked")),
    (AsyncWorker.handle, ("self", "listener", "client", "addr")),
    (AsyncWorker.handle_request, ("self", "listener_name", "req", "sock", "addr")),
    (GeventWorker.notify, ("self",)),
    (GeventWorker.timeout_ctx, ("self",)),
    (GeventWorker.run, ("self",)),
    (GeventWorker.init_process, ("self",)),
    (Config.forwarded_allow_networks, ("self",)),
]


def name_of(value: Any) -> str:
    # The text of a function says where it stands in memory: each process has another.
    return getattr(value, "__qualname__", "")


@pytest.mark.parametrize(("function", "parameters"), CALLED, ids=name_of)
def test_a_function_that_is_used_takes_what_it_is_given(
    function: Any, parameters: tuple[str, ...]
) -> None:
    assert tuple(inspect.signature(function).parameters)[: len(parameters)] == parameters


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (http, "RequestParser"),
        (wsgi, "create"),
        (wsgi, "Response"),
        (wsgi, "WSGIErrorsWrapper"),
        (wsgi, "TOKEN_RE"),
        (message, "MAX_REQUEST_LINE"),
        (body, "ChunkedReader"),
        *((errors, error.__name__) for error in (errors.ParseException, errors.NoMoreData)),
        (errors, "InvalidResponseHeader"),
        (errors, "InvalidResponseHeaderName"),
        (errors, "ForbiddenProxyRequest"),
    ],
)
def test_a_name_that_is_replaced_or_caught_exists(module: Any, name: str) -> None:
    assert hasattr(module, name)


def test_the_parser_is_the_one_that_ours_builds_on() -> None:
    # "auto" would take a parser in C, where one is installed, without a word.
    source = (REPOSITORY / "gunicorn.conf.py").read_text()

    assert 'http_parser = "python"' in source.splitlines()
    assert "http_parser" in Config().settings
